/**
 * Processes of the version before `claimable`, beside those of this one: while a deployment is under way, or for longer,
 * where somebody else deploys the producer.
 */
import { expect, test } from 'vitest';
import { claimJobs } from '../../src/job/claim-jobs.js';
import { endLostAttempt } from '../../src/job/end-lost-attempt.js';
import type { JobDocument } from '../../src/job/job.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();
const jobs = () => database.collections().jobs;

async function setUp() {
  const processor = database.processor();
  await processor.ensureIndexes();
  await processor.addJobFactory(echo);
  return processor;
}

/** As that version adds a job. */
async function addAsBefore(id: string): Promise<void> {
  const now = new Date();
  const times = { runAt: new Date(0), created: now, queued: now };
  const counters = { retryCounter: 0, givenBackCounter: 0, maxRetries: 3 };
  const job: JobDocument = {
    _id: id,
    jobName: 'echo',
    queue: 'default',
    priority: 0,
    status: 'queued',
    input: {},
    ...times,
    ...counters,
    retryDelay: null,
    errors: [],
  };
  await jobs().insertOne(job);
}

/** As that version claims a job, by whatever index there is: it knows nothing of `claimable`. */
async function claimAsBefore(id: string, expires: Date): Promise<void> {
  const lease = { token: 'before', worker: 'before', expires, lengthMs: 30_000 };
  const due = { _id: id, status: 'queued', $expr: { $lte: ['$runAt', '$$NOW'] } } as const;
  const update = [{ $set: { status: 'processing', retryCounter: { $add: ['$retryCounter', 1] }, lease } }];
  expect((await jobs().updateOne(due, update)).modifiedCount).toBe(1);
}

const later = () => new Date(Date.now() + 3_600_000);

test('what it queued before the indexes were made is claimed, however much that is', async () => {
  const processor = await setUp();
  const many = Array.from({ length: 2_500 }, (_, n) => `${n}`);
  await addAsBefore('one');
  const document = await jobs().findOne({ _id: 'one' });
  if (document) await jobs().insertMany(many.map((_id) => ({ ...document, _id })));
  await processor.ensureIndexes();
  expect(await jobs().countDocuments({ status: 'queued', claimable: true })).toBe(2_501);
  expect(await processor.processNextJob()).toBe(true);
});

test('what it queues afterwards is counted, pulled, and found by the next worker or the next tick', async () => {
  const processor = await setUp();
  for (const id of ['a', 'b', 'c']) await addAsBefore(id);
  expect(await processor.countJobs()).toMatchObject({ queued: { count: 3 }, completed: { count: 0 } });
  expect(await processor.countReadyJobs()).toBe(3);
  expect(await processor.getOldestWaitingJobs()).toMatchObject([{ id: 'a' }]);
  expect(await processor.pullNextJob()).toMatchObject({ id: 'a' });
  expect(await processor.drain()).toMatchObject({ completed: 2 });
  await addAsBefore('d');
  await processor.scheduleDueItems();
  expect(await database.storedJob('d')).toMatchObject({ claimable: true });
});

test('before the indexes are made, its jobs are claimed all the same, together, and counted', async () => {
  const processor = await setUp();
  const there = ['claimable', 'claimableByQueue', 'heldBack'];
  for (const name of there) await jobs().dropIndex(name);
  await jobs().createIndex(
    { priority: -1, runAt: 1, _id: 1, jobName: 1, queue: 1, status: 1 },
    { name: 'claimAll', partialFilterExpression: { status: 'queued' } },
  );
  for (const id of ['a', 'b', 'c', 'd']) await addAsBefore(id);
  await processor.addJob('echo', {}, { id: 'new' });
  expect(await processor.countJobs()).toMatchObject({ queued: { count: 5 }, completed: { count: 0 } });
  expect(await processor.countReadyJobs()).toBe(5);
  expect(await processor.pullNextJob()).toMatchObject({ id: 'a' });
  expect(await processor.processNextJob()).toBe(true);
  expect(await processor.drain()).toMatchObject({ completed: 3 });
  await processor.ensureIndexes();
});

test('it claims and settles what this version has queued, and this version claims none of that', async () => {
  const processor = await setUp();
  for (const id of ['settled', 'running', 'queued again']) {
    await processor.addJob('echo', {}, { id });
    await claimAsBefore(id, later());
  }
  const settle = (id: string, status: JobDocument['status']) =>
    jobs().updateOne({ _id: id, 'lease.token': 'before' }, { $set: { status }, $unset: { lease: true } });
  await settle('settled', 'completed');
  await settle('queued again', 'queued');
  const lease = { token: 'now', worker: 'now', leaseMs: 1000 };
  expect(await claimJobs(jobs(), { jobNames: ['echo'] }, lease, 5)).toMatchObject([{ id: 'queued again' }]);
  expect(await processor.jobs.countReady()).toBe(0);
  expect(await processor.jobs.count()).toMatchObject({ queued: { count: 0 }, processing: { count: 2 } });
});

test('what it lost in company is run all the same, also when it is this version that notices', async () => {
  const processor = await setUp();
  for (const id of ['a', 'b', 'c']) {
    await processor.addJob('echo', {}, { id });
    await claimAsBefore(id, new Date(1));
  }
  // As that version recovers it: it leaves the job claimable.
  const [status, { $set: { claimable: _, ...changes } = { claimable: true } } = {}] = endLostAttempt(true);
  await jobs().updateOne({ _id: 'c' }, [status ?? {}, { $set: changes }]);
  expect(await processor.drain()).toMatchObject({ completed: 3 });
});
