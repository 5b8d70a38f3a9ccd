import { expect, test } from 'vitest';
import * as z from 'zod';
import { type ClaimedJob, defineJob, NotFoundError, type Retention } from '../../src/index.js';
import { settlementOf } from '../../src/job/outcome.js';
import { settleJobs } from '../../src/job/settle-jobs.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { Gate } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

const notKept: Retention = { completed: 0, cancelled: 0, error: 0 };

/** A processor whose jobs wait at a gate, and return their input, or throw when that is `'fail'`. */
async function setup({
  maxThreads = 4,
  retention = notKept,
}: {
  maxThreads?: number;
  retention?: Retention;
} = {}) {
  const gate = new Gate();
  const processor = database.processor({ maxThreads });
  const fleeting = defineJob({
    name: 'fleeting',
    input: z.unknown(),
    retention,
    maxRetries: 1,
    run: async ({ input, signal }) => {
      await gate.pass(signal);
      if (input === 'fail') throw new Error('on purpose');
      return input;
    },
  });
  await processor.addJobFactory(fleeting);
  return { processor, gate };
}

type Setting = Awaited<ReturnType<typeof setup>>;

const add = ({ processor }: Setting, id: string, input: unknown = null) =>
  processor.addJob('fleeting', input, { id, uniqueKey: id });

/** Drains, and opens the gate once so many jobs run: the summary, and the writes of jobs from then on. */
async function endTogether({ processor, gate }: Setting, count: number, before = async () => {}) {
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(count));
  await before();
  const commands = await database.commandsDuring(async () => {
    gate.open();
    await draining;
  });
  const writes = commands.filter(({ command }) =>
    ['update', 'delete', 'findAndModify'].some((name) => command[name] === collectionNames.jobs),
  );
  return { summary: await draining, writes: writes.map(({ commandName }) => commandName) };
}

const stored = () => database.db.collection<{ _id: string }>(collectionNames.jobs).find().toArray();

test('a job that is not kept is deleted when it completes, by the one write that would settle it', async () => {
  const setting = await setup();
  await add(setting, 'a');

  const { summary, writes } = await endTogether(setting, 1);

  expect(summary).toMatchObject({ claimed: 1, completed: 1 });
  expect(writes).toEqual(['delete']);
  expect(await stored()).toEqual([]);
  expect(await setting.processor.getJob('a')).toBeUndefined();
  await expect(setting.processor.getJobStatus('a')).rejects.toThrow(NotFoundError);
  await expect(setting.processor.getJobResult('a')).rejects.toThrow(NotFoundError);
  const statistics = await setting.processor.statistics.get({ jobName: 'fleeting' });
  expect(statistics.reduce((sum, { completed }) => sum + completed, 0)).toBe(1);
});

test('those that complete together are deleted by one command, whatever they return', async () => {
  const setting = await setup();
  for (const id of ['a', 'b', 'c', 'd']) await add(setting, id, id < 'c' ? null : id);

  const { summary, writes } = await endTogether(setting, 4);

  expect(summary).toMatchObject({ completed: 4 });
  expect(writes).toEqual(['delete']);
  expect(await stored()).toEqual([]);
});

test('beside others it is settled like these, and expires at once', async () => {
  const setting = await setup();
  await add(setting, 'a');
  await add(setting, 'b', 'fail');

  const { summary, writes } = await endTogether(setting, 2);

  expect(summary).toMatchObject({ completed: 1, errors: 1 });
  expect(writes).toEqual(['update']);
  for (const id of ['a', 'b']) {
    const job = await setting.processor.getJob(id);
    if (job === undefined) continue; // It has expired by now.
    expect(job).toMatchObject({ status: id === 'a' ? 'completed' : 'error', expireAt: job.completed });
  }
});

test('one that is to be cancelled ends cancelled, and one that was lost is left alone', async () => {
  const setting = await setup();
  for (const id of ['a', 'cancelled', 'lost']) await add(setting, id);
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);

  const { summary } = await endTogether(setting, 3, async () => {
    await setting.processor.cancelJob('cancelled');
    await jobs.updateOne({ _id: 'lost' }, { $set: { 'lease.token': "somebody else's" } });
  });

  expect(summary).toMatchObject({ completed: 1, cancelled: 1, stale: 1 });
  // The database may have removed the cancelled one by now, which is kept no longer either.
  const left = (await stored()).map(({ _id }) => _id).filter((id) => id !== 'cancelled');
  expect(left).toEqual(['lost']);
  expect(await setting.processor.getJobStatus('lost')).toBe('processing');
});

test('one that a scheduler item made ahead, and that ends before its occurrence, stays until then', async () => {
  const setting = await setup();
  setting.gate.open();
  const { processor } = setting;
  const at = new Date(Date.now() + 3_600_000);
  await processor.addScheduler({ type: 'At', at, jobName: 'fleeting', id: 'item', active: true });
  await processor.scheduleDueItems({ ahead: '2h' });
  await database.db.collection(collectionNames.jobs).updateMany({}, { $set: { runAt: new Date(1) } });

  expect(await processor.drain()).toMatchObject({ completed: 1 });

  const [job] = await processor.getJobs();
  expect(job).toMatchObject({ status: 'completed', expireAt: at });
});

test('an outcome that is written again since the reply was lost counts as it did; a lost lease is stale', async () => {
  const setting = await setup();
  const { processor } = setting;
  for (const id of ['a', 'b', 'c', 'lost']) await add(setting, id);
  const claimed = new Map<string, ClaimedJob>();
  for (let job = await processor.pullNextJob(); job; job = await processor.pullNextJob())
    claimed.set(job.id, job);
  const { jobs } = database.collections();
  await jobs.updateOne({ _id: 'lost' }, { $set: { 'lease.token': "somebody else's" } });
  const settle = (ids: readonly string[]) =>
    settleJobs(
      jobs,
      [...claimed.values()]
        .filter(({ id }) => ids.includes(id))
        .map((job) => settlementOf(job, { kind: 'completed', output: 1, outputBytes: 16 })),
    );

  expect(await settle(['a'])).toEqual(['completed']);
  expect(await settle(['a'])).toEqual(['completed']);
  expect(await settle(['a', 'b', 'c'])).toEqual(['completed', 'completed', 'completed']);
  expect(await settle(['lost'])).toEqual(['stale']);
});

test('a job that is kept by how it ends: 0 concerns that ending alone', async () => {
  const setting = await setup({ retention: { completed: 0, error: 'forever' } });
  await add(setting, 'a', 'fail');

  await endTogether(setting, 1);

  expect(await setting.processor.getJob('a')).toMatchObject({ status: 'error' });
  expect(await setting.processor.getJob('a')).not.toHaveProperty('expireAt');
});

test('a retention that is none is refused, with what is expected', () => {
  const define = () => defineJob({ name: 'x', retention: { error: 'for ever' }, run: async () => 1 });
  expect(define).toThrow(/retention\.error.*expected 'forever', 0/);
});
