import { expect, test } from 'vitest';
import { IndexMissingError } from '../../src/index.js';
import { claimableJobs } from '../../src/job/indexes.js';
import { collectionNames } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { anything, echo } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const jobs = () => database.db.collection(collectionNames.jobs);

/** A processor, and what it warns of. */
async function setup(maxThreads: number) {
  const told: unknown[] = [];
  const log = { ...silent, warn: (_: string, fields?: object) => told.push(fields) };
  const processor = database.processor({ maxThreads, log });
  await processor.addJobFactories([echo, anything]);
  return { processor, told };
}

const missing = (index: string) => ({ code: 'index_missing', index });

test.each([1, 3])(
  'a worker of %i threads goes on without the index of its claims, and says once that it is missing',
  async (maxThreads) => {
    const { processor, told } = await setup(maxThreads);
    for (let n = 0; n < 4; n += 1) await processor.addJob('echo', { n });
    await jobs().dropIndex('claimable');
    expect(await processor.drain()).toMatchObject({ completed: 4 });
    expect(told).toEqual([missing('claimable')]);
    await processor.ensureIndexes();
  },
);

test('what a crashed worker left is recovered without the index of leases, which is told once', async () => {
  const { processor, told } = await setup(1);
  const ids = ['a', 'b'];
  for (const id of ids) {
    await processor.addJob('echo', {}, { id });
    await processor.pullNextJob();
  }
  await jobs().updateMany({ status: 'processing' }, { $set: { 'lease.expires': new Date(1) } });
  await jobs().dropIndex('leaseExpiry');
  expect(await processor.recoverJobs()).toBe(2);
  for (const id of ids) expect(await processor.getJobStatus(id)).toBe('queued');
  expect(told).toEqual([missing('leaseExpiry')]);
  await processor.ensureIndexes();
});

test('statements that are under way together tell of one index once', async () => {
  const { processor, told } = await setup(1);
  await jobs().dropIndex('claimable');
  expect(await Promise.all(Array.from({ length: 5 }, () => processor.jobs.countReady()))).toEqual([
    0, 0, 0, 0, 0,
  ]);
  expect(told).toEqual([missing('claimable')]);
  await processor.ensureIndexes();
});

test('in a transaction, which ends by it, a missing index is an error of ours; the next one goes on without', async () => {
  const { processor, told } = await setup(1);
  await processor.addJob('echo', {}, { uniqueKey: 'of a time when it was there' });
  await jobs().dropIndex('uniqueKey');
  const add = (id: string) =>
    database.client.withSession((session) =>
      session.withTransaction(() => processor.addJob('echo', {}, { id, uniqueKey: id, session })),
    );
  const failure = await add('a').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(IndexMissingError);
  expect(await add('b')).toBe('b');
  expect(
    await processor.addJobs([{ name: 'echo', input: {}, options: { id: 'c', uniqueKey: 'b' } }]),
  ).toEqual(['b']);
  expect(told).toEqual([missing('uniqueKey')]);
  await processor.ensureIndexes();
});

test('a condition that MongoDB refuses is not taken for an index that is missing', async () => {
  const processor = database.processor({ jobQuery: { input: { $noSuchOperator: 1 } } });
  await processor.addJobFactory(echo);
  await expect(processor.jobs.countReady()).rejects.toMatchObject({ code: 2 });
  const commands = await database.commandsDuring(() => processor.jobs.count());
  expect(commands.map(({ command }) => command.hint)).toContainEqual(claimableJobs.key);
});

test('unique keys of many jobs are looked for by their index', async () => {
  const { processor } = await setup(1);
  const many = ['a', 'b'].flatMap((key) =>
    ['echo', 'anything'].map((name) => ({ name, input: {}, options: { uniqueKey: key } })),
  );
  const commands = await database.commandsDuring(() => processor.addJobs(many));
  const [find] = commands.filter(({ command }) => command.find === collectionNames.jobs);
  const { filter, hint } = find?.command ?? {};
  const plan = await database.db.command({
    explain: { find: collectionNames.jobs, filter, hint },
    verbosity: 'queryPlanner',
  });
  const indexes = JSON.stringify(plan.queryPlanner.winningPlan).match(/"indexName":"\w+"/g);
  expect(new Set(indexes)).toEqual(new Set(['"indexName":"uniqueKey"']));
});
