import { expect, test } from 'vitest';
import type { WaitingJob } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { anything, echo } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const MINUTE_MS = 60_000;

/** A worker, with jobs of another that it has no code for. */
async function setUp() {
  const other = database.processor();
  await other.addJobFactories([echo, anything]);
  const worker = database.processor();
  await worker.addJobFactory(echo);
  return { other, worker };
}

/** Job `id` has been due for so long. */
function dueFor(id: string, ms: number) {
  const longAgo = { $subtract: ['$$NOW', ms] };
  return database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: id }, [{ $set: { runAt: longAgo, queued: longAgo } }]);
}

test('of each priority, the job that waits longest is found, and since when', async () => {
  const { other } = await setUp();
  for (const [id, priority, minutes] of [
    ['young', 0, 1],
    ['old', 0, 7],
    ['urgent', 5, 3],
  ] as const) {
    await other.addJob('echo', {}, { id, priority });
    await dueFor(id, minutes * MINUTE_MS);
  }

  const waiting = await other.jobs.oldestWaiting();

  expect(waiting).toMatchObject([
    { id: 'urgent', jobName: 'echo', queue: 'default', priority: 5, claimable: true },
    { id: 'old', jobName: 'echo', queue: 'default', priority: 0, claimable: true },
  ]);
  expect(waiting.map(({ waitedMs }) => Math.floor(waitedMs / MINUTE_MS))).toEqual([3, 7]);
});

test('a job that is not due, or that runs, or has ended, does not wait', async () => {
  const { other } = await setUp();
  await other.addJob('echo', {}, { id: 'taken' });
  await other.pullNextJob();
  await other.addJob('echo', {}, { id: 'ended' });
  await other.processNextJob();
  await other.addJob('echo', {}, { delay: '1h' });

  expect(await other.jobs.oldestWaiting()).toEqual([]);
});

test('a job that a worker has no code for comes to stand first, and is told from others', async () => {
  const { other, worker } = await setUp();
  await other.addJob('echo', {}, { id: 'first' });
  await other.addJob('anything', {}, { id: 'unknown' });
  await other.addJob('echo', {}, { id: 'last' });
  expect(await worker.jobs.oldestWaiting()).toMatchObject([{ id: 'first', claimable: true }]);

  await worker.drain();

  expect(await worker.jobs.oldestWaiting()).toMatchObject([{ id: 'unknown', claimable: false }]);
});

test('a job in a queue that a worker does not take is not claimable by it', async () => {
  const { other } = await setUp();
  const worker = database.processor({ queues: ['mail'] });
  await worker.addJobFactory(echo);
  await other.addJob('echo', {}, { queue: 'reports' });
  await other.addJob('echo', {}, { queue: 'mail', priority: 1 });

  expect(await worker.jobs.oldestWaiting()).toMatchObject([
    { queue: 'mail', claimable: true },
    { queue: 'reports', claimable: false },
  ]);
});

test('it costs two commands while all jobs have the lowest priority, and reads next to nothing whatever waits', async () => {
  const { other } = await setUp();
  for (let n = 0; n < 100; n += 1) {
    await other.addJob('echo', {}, { priority: n % 10, delay: '1h' });
    await other.addJob('echo', {});
  }

  await other.recoverJobs(); // It reads which queues are paused on the way.
  const commands = await database.commandsDuring(() => other.jobs.oldestWaiting());

  expect(commands.map(({ commandName }) => commandName)).toEqual(['find', 'find']);
  const { find, filter, sort, limit } = commands[0]?.command ?? {};
  const { executionStats } = await database.db.command({
    explain: { find, filter, sort, limit },
    verbosity: 'executionStats',
  });
  expect(executionStats.totalDocsExamined).toBe(1);
  expect(executionStats.totalKeysExamined).toBeLessThanOrEqual(21); // One, and two to skip each other priority.
});

test('it costs a command for each priority with a job, and one for those that are to run alone', async () => {
  const { other } = await setUp();
  await Promise.all(Array.from({ length: 20 }, (_, n) => other.addJob('echo', {}, { priority: n % 10 })));
  let waiting: readonly WaitingJob[] = [];
  await other.recoverJobs();

  const commands = await database.commandsDuring(async () => {
    waiting = await other.jobs.oldestWaiting();
  });

  expect(waiting.map(({ priority }) => priority)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(commands).toHaveLength(11);
});
