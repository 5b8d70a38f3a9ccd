import { afterEach, expect, test } from 'vitest';
import { createSchedulerHandler, createWorkerHandler } from '../../handlers/lambda.js';
import { connectedCollections, type WithCollections } from '../../src/collections/connected-collections.js';
import { ValidationError } from '../../src/index.js';
import { DEFAULT_COLLECTION_PREFIX } from '../../src/mongo/collection-prefix.js';
import { endSession } from '../../src/sign-in/end-session.js';
import { isSessionEnded } from '../../src/sign-in/is-session-ended.js';
import { collectionNames, collectionNamesOf } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { closeConnectionsAfterwards, deploymentOf } from '../handlers/deployment.js';
import { contextOf, everyMinute } from '../handlers/events.js';
import { useLambdaService } from '../handlers/lambda-service.js';
import { echo } from '../jobs.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

const former = collectionNamesOf('');
afterEach(async () => {
  for (const name of Object.values(former)) await database.db.collection(name).drop();
});

const due = { type: 'At', at: new Date(0), jobName: 'echo', input: { by: 'an item' }, active: true } as const;

test('processors of two prefixes in one database have nothing in common', async () => {
  const shop = database.processor({ collectionPrefix: 'shop.' });
  const mail = database.processor({ collectionPrefix: 'mail.' });
  for (const processor of [shop, mail]) await processor.ensureIndexes();
  await shop.addJobFactory(echo);
  expect(await mail.factories.names()).toEqual([]);
  await mail.addJobFactory(echo);
  await shop.addJob('echo', { of: 'shop' }, { id: 'same', uniqueKey: 'same' });
  await mail.addJob('echo', { of: 'mail' }, { id: 'same', uniqueKey: 'same' });
  await shop.addScheduler({ ...due, id: 'item' });
  await mail.queues.pause('default');

  expect(await mail.getSchedulers()).toEqual([]);
  await mail.scheduleDueItems();
  await mail.drain();
  expect(await mail.getJobs()).toMatchObject([{ id: 'same', status: 'queued', input: { of: 'mail' } }]);
  expect(await shop.getJobs()).toMatchObject([{ id: 'same', status: 'queued', input: { of: 'shop' } }]);
  expect(await shop.queues.list()).toMatchObject({ queues: [{ name: 'default', paused: null }] });

  expect(await shop.scheduleDueItems()).toHaveLength(1);
  expect(await shop.drain()).toMatchObject({ completed: 2 });
  expect(await mail.statistics.get()).not.toContainEqual(expect.objectContaining({ completed: 2 }));
  expect(await shop.removeJobs()).toMatchObject({ completed: 2 });
  expect(await mail.getJobStatus('same')).toBe('queued');
  await endSession(await sessionsOf(shop), 'session', new Date(Date.now() + 60_000));
  const ended = [shop, mail].map(async (processor) => isSessionEnded(await sessionsOf(processor), 'session'));
  expect(await Promise.all(ended)).toEqual([true, false]);
});

test('the functions of a deployment take it from their environment', async () => {
  const processor = database.processor({ collectionPrefix: 'deployed.' });
  await processor.ensureIndexes();
  await processor.addJobFactory(echo);
  await processor.addScheduler({ ...due, id: 'item' });
  const options = deploymentOf(database, lambda(), [echo], { COLLECTION_PREFIX: 'deployed.' });

  expect(await createSchedulerHandler(options)(everyMinute, contextOf(60_000))).toMatchObject({ made: 1 });
  expect(await createWorkerHandler(options)(everyMinute, contextOf(300_000))).toMatchObject({ completed: 1 });
});

test.each(['system.', 'a$', 'a..', '.', ' ', 'a\0', 'x'.repeat(101)])(
  '%j is no prefix',
  (collectionPrefix) => {
    expect(() => database.processor({ collectionPrefix })).toThrow(ValidationError);
  },
);

test('whoever upgrades is told of the jobs and items that are left behind under the former names', async () => {
  const before = database.processor({ collectionPrefix: '' });
  await before.ensureIndexes();
  await before.addJobFactory(echo);
  await before.addJob('echo', {});
  await before.addScheduler({ ...due, id: 'item' });
  const told: unknown[] = [];
  const warn = (...line: unknown[]) => void told.push(line);
  const processor = database.processor({ log: { ...silent, warn } });

  await processor.ensureIndexes();
  expect(told).toEqual([
    [expect.stringContaining('CHANGELOG.md'), { collections: [former.jobs, former.scheduler] }],
  ]);
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  await processor.addScheduler({ ...due, id: 'item' });
  await processor.ensureIndexes();
  expect(told).toHaveLength(1);
});

test('collections of the former names that are somebody else’s are nobody’s loss', async () => {
  await database.db.collection(former.jobs).insertOne({ title: 'Cook', status: 'open' });
  const told: unknown[] = [];
  const processor = database.processor({ log: { ...silent, warn: (text) => void told.push(text) } });
  await processor.ensureIndexes();
  expect(told).toEqual([]);
});

test('whoever upgrades beside an application is not told to take the empty prefix', async () => {
  const before = database.processor({ collectionPrefix: '' });
  await before.addJobFactory(echo);
  await before.addJob('echo', {});
  await database.db.collection(former.queues).insertOne({ title: 'at the door' });
  const told: string[] = [];
  const warn = (text: string) => void told.push(text);
  await database.processor({ log: { ...silent, warn } }).ensureIndexes();
  expect(told).toEqual([expect.stringMatching(/^jobs: .* somebody else/)]);
  expect(told.join()).not.toContain('empty');
});

test('a collection of an application that looks like one of ours, alone, is nobody’s loss', async () => {
  await database.db
    .collection<{ _id: string }>(former.queues)
    .insertOne({ _id: 'mail', ...{ paused: new Date() } });
  const told: string[] = [];
  await database.processor({ log: { ...silent, warn: (text) => void told.push(text) } }).ensureIndexes();
  expect(told).toEqual([]);
});

test('renaming the collections, as the changelog has it, goes on with them', async () => {
  const before = database.processor({ collectionPrefix: '' });
  await before.ensureIndexes();
  await before.addJobFactory(echo);
  await before.addJob('echo', { from: 'before' }, { id: 'kept' });
  for (const name of Object.values(collectionNames)) await database.db.collection(name).drop();
  for (const name of Object.values(former))
    if ((await database.db.listCollections({ name }).toArray()).length > 0)
      await database.db.collection(name).rename(`${DEFAULT_COLLECTION_PREFIX}${name}`);

  const processor = database.processor();
  await processor.ensureIndexes();
  await processor.addJobFactory(echo);
  await processor.drain();
  expect(await processor.getJobResult('kept')).toEqual({ from: 'before' });
});

async function sessionsOf(processor: WithCollections) {
  return (await processor[connectedCollections]()).endedSessions;
}
