import { BSON } from 'mongodb';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { attemptsOf, defineJob, RemoteException, type RemoteProcessor, Snooze } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();
const jobs = () => database.db.collection<{ _id: string }>(collectionNames.jobs);

/** Fails as often as it is told, then in the way that it is told. */
const kind = defineJob({
  name: 'kind',
  input: z.object({ fails: z.number(), then: z.enum(['complete', 'snooze', 'error']) }),
  maxRetries: 30,
  retryDelay: 0,
  run: async ({ input: { fails, then }, attempt }) => {
    if (attempt <= fails) throw new Error('Not yet.');
    if (then === 'snooze') throw new Snooze('1h');
    if (then === 'error') throw new RemoteException('Never.');
  },
});

async function outcomesOf(processor: RemoteProcessor, id: string) {
  const job = await processor.getJob(id);
  return job && attemptsOf(job).map(({ attempt, outcome }) => [attempt, outcome]);
}

async function withKinds(): Promise<RemoteProcessor> {
  const processor = database.processor();
  await processor.addJobFactories([kind, echo]);
  return processor;
}

test('a job that completes at once stores nothing of its attempt, which its own times tell', async () => {
  const processor = await withKinds();
  const ids = await processor.addJobs([1, 2].map((n) => ({ name: 'echo', input: { n } })));
  await processor.processJobs();

  for (const id of ids) {
    expect(await database.storedJob(id)).not.toHaveProperty('attempts');
    const job = await processor.getJob(id);
    expect(job && attemptsOf(job)).toEqual([
      { attempt: 1, queued: job?.queued, claimed: job?.picked, ended: job?.completed, outcome: 'completed' },
    ]);
  }
});

test('a job keeps how its attempts ended, and the present one is told too', async () => {
  const processor = await withKinds();
  const id = await processor.addJob(kind, { fails: 2, then: 'snooze' });
  await processor.processJobs();
  expect(await outcomesOf(processor, id)).toEqual([
    [1, 'failed'],
    [2, 'failed'],
    [3, 'snoozed'],
  ]);
  const [first, second] = (await processor.getJob(id))?.attempts ?? [];
  expect(second?.queued).toEqual(first?.ended);

  await processor.updateJob(id, { delay: 0 });
  const claimed = await processor.pullNextJob();

  expect(claimed).not.toHaveProperty('attempts');
  expect(attemptsOf((await processor.getJob(id)) ?? fail()).at(-1)).toEqual({
    attempt: 3,
    queued: expect.any(Date),
    claimed: expect.any(Date),
  });
});

test('a lost lease is an attempt, and so is what was done before a person retried the job', async () => {
  const processor = await withKinds();
  const id = await processor.addJob(kind, { fails: 0, then: 'error' });
  await processor.pullNextJob();
  await jobs().updateOne({ _id: id }, { $set: { 'lease.expires': new Date(0) } });
  await processor.recoverJobs();
  await processor.processJobs();
  expect(await outcomesOf(processor, id)).toEqual([
    [1, 'lost'],
    [2, 'error'],
  ]);

  const { id: operation } = await processor.operations.start({
    action: 'retry',
    filter: { status: 'error' },
  });
  expect(await outcomesOf(processor, id)).toEqual([
    [1, 'lost'],
    [2, 'error'],
  ]);
  await processor.operations.undo(operation);
  expect(await outcomesOf(processor, id)).toEqual([
    [1, 'lost'],
    [2, 'error'],
  ]);
  await processor.retryJob(id);
  await processor.processJobs();
  expect(await outcomesOf(processor, id)).toEqual([
    [1, 'lost'],
    [2, 'error'],
    [3, 'error'],
  ]);
});

test('a job that was cancelled before it began has no attempt', async () => {
  const processor = await withKinds();
  const id = await processor.addJob(kind, { fails: 1, then: 'complete' }, { retryDelay: '1h' });
  await processor.processJobs();
  await processor.cancelJob(id);
  expect(await outcomesOf(processor, id)).toEqual([[1, 'failed']]);
});

test('the last 20 are kept, in less than 100 bytes each', async () => {
  const processor = await withKinds();
  const id = await processor.addJob(kind, { fails: 24, then: 'complete' });
  await processor.processJobs();

  const { attempts = [] } = (await processor.getJob(id)) ?? {};

  expect(attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, index) => index + 5));
  expect(BSON.calculateObjectSize({ attempts }) / attempts.length).toBeLessThan(100);
  expect(await outcomesOf(processor, id)).toHaveLength(21);
});

function fail(): never {
  throw new Error('There is no job.');
}
