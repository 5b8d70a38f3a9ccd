import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { createApp } from '../../handlers/http/app.js';
import { routes } from '../../handlers/http/routes.js';
import { RemoteProcessor } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo } from '../jobs.js';
import { useCommandLine } from '../local/cli/command-line.js';
import { methodNames } from '../method-names.js';
import { addApplication, applicationIn, everythingIn } from './application.js';
import { calls, httpCalls } from './calls.js';

const database = useDatabase();
const { run } = useCommandLine(database);
const unprefixed = { collectionPrefix: '' };

afterEach(async () => {
  const all = await database.db.collections();
  const others = all.filter(({ collectionName }) => !collectionName.startsWith('remoteProcessor.'));
  await Promise.all(others.map((collection) => collection.drop()));
});

/** Does something in an application's database, that has to leave everything in it as it was. */
async function besideTheApplication(work: () => Promise<unknown>): Promise<void> {
  await addApplication(database.db);
  const before = [await applicationIn(database.db), await everythingIn(database.db)];
  await work();
  expect([await applicationIn(database.db), await everythingIn(database.db)]).toEqual(before);
}

const foreign = expect.objectContaining({ code: 'foreign_documents' });

test('whatever is asked of a processor under the very names of an application, it refuses', async () => {
  await besideTheApplication(async () => {
    const all = { ...calls, ...httpCalls };
    const outcomes = Object.entries(all).map(async ([name, call]) => {
      const outcome = call(database.processor(unprefixed));
      return [name, await outcome.catch((error: unknown) => error)];
    });
    const expected = Object.keys(all).map((name) => [name, foreign]);
    expect(await Promise.all(outcomes)).toEqual(expected);
  });
});

test('the table above has every method of a processor', () => {
  expect(Object.keys(calls).toSorted()).toEqual(methodNames(database.processor()).toSorted());
});

test('loops that were started say why they do nothing', async () => {
  await besideTheApplication(async () => {
    const told: string[] = [];
    const error = (_: string, fields: object = {}) => void told.push(JSON.stringify(fields));
    const processor = database.processor({ ...unprefixed, log: { ...silent, error } });
    processor.startScheduler();
    await eventually(() => expect(told).not.toEqual([]));
    expect(told.join()).toContain('COLLECTION_PREFIX');
    await processor.stopScheduler();
  });
});

const key = 'of-the-test';
const app = () =>
  createApp({
    processor: new RemoteProcessor({ db: database.db, ...unprefixed, log: silent }),
    apiKeys: [{ id: 'test', role: 'admin', digest: createHash('sha256').update(key).digest() }],
    log: silent,
  });

/** Those that ask the database something. */
const asking = routes.filter(({ path }) => path !== '/v1/openapi.json');

/** How one of them answers. */
async function answerTo({ method, path, bodyExample }: (typeof routes)[number]): Promise<unknown> {
  const value = path.endsWith('/skip') ? 'order due' : 'due';
  const address = path.replaceAll(/\{[^}]*\}/g, encodeURIComponent(value));
  const query = method === 'DELETE' && path === '/v1/jobs' ? '?status=completed' : '';
  const reply = await app().request(`http://localhost${address}${query}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(bodyExample !== undefined && { body: JSON.stringify(bodyExample) }),
  });
  return [method, path, reply.status, await reply.json()];
}

test('over HTTP everything is refused in an application’s database', async () => {
  await besideTheApplication(async () => {
    const expected = asking.map(({ method, path }) => [method, path, 500, foreign]);
    expect(await Promise.all(asking.map(answerTo))).toEqual(expected);
  });
});

const every = '{ "type": "Cron", "cron": "* * * * *", "jobName": "echo", "input": {} }';

const commands = [
  ['add', 'echo', '{}'],
  ['get', 'queued'],
  ['list'],
  ['cancel', 'queued'],
  ['retry', 'error'],
  ['remove', 'completed', '--yes'],
  ['remove', '--status', 'completed', '--yes'],
  ['schedules', 'list'],
  ['schedules', 'get', 'due'],
  ['schedules', 'preview', 'due'],
  ['schedules', 'add', every],
  ['schedules', 'update', 'due', '{ "title": "New" }'],
  ['schedules', 'activate', 'off'],
  ['schedules', 'deactivate', 'due'],
  ['schedules', 'run', 'due'],
  ['schedules', 'remove', 'due', '--yes'],
  ['queues', 'list'],
  ['queues', 'pause', 'default'],
  ['queues', 'resume', 'default'],
  ['workers'],
  ['factories'],
  ['stats'],
  ['work'],
  ['schedule'],
  ['ensure-indexes'],
  ['doctor'],
];

test('every command of remote-processor is refused in an application’s database', async () => {
  await besideTheApplication(async () => {
    const where = { on: 'database', env: { COLLECTION_PREFIX: '' } } as const;
    for (const args of commands) {
      const { code, out, err } = await run(args, where);
      expect([args, code, `${out}${err}`]).toEqual([args, 1, expect.stringContaining('COLLECTION_PREFIX')]);
    }
  });
});

/** The last: what was found out of a database is not asked again by its client. */
test('an application that comes later keeps its documents, whatever is asked for', async () => {
  await database.processor(unprefixed).ensureIndexes();
  await addApplication(database.db);
  const before = await applicationIn(database.db);
  const { ensureIndexes, ...others } = { ...calls, ...httpCalls };
  for (const [name, call] of Object.entries(others)) {
    const processor = database.processor(unprefixed);
    await processor.addJobFactory(echo).catch(() => {});
    await call(processor).catch(() => {});
    expect([name, await applicationIn(database.db)]).toEqual([name, before]);
  }
});
