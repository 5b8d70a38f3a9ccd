import { expect, test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();
const LONG_AGO = new Date('1970-01-02');

async function setUp() {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  return processor;
}

/** The job has been in the queue for an hour. */
function waitingForAnHour(id: string) {
  const times = { runAt: { $subtract: ['$$NOW', 3_600_000] }, queued: { $subtract: ['$$NOW', 3_600_000] } };
  return database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: id }, [{ $set: times }]);
}

test('a job whose moment has passed waits from when it was added, behind those that really wait', async () => {
  const processor = await setUp();
  await processor.addJob('echo', {}, { id: 'waiting' });
  await waitingForAnHour('waiting');
  await processor.addJob('echo', {}, { id: 'new', runAt: LONG_AGO });
  await processor.addJobs([{ name: 'echo', input: {}, options: { id: 'one of many', runAt: LONG_AGO } }]);

  expect((await processor.pullNextJob())?.id).toMatch(/new|one of many/);
  const [oldest] = await processor.jobs.oldestWaiting();
  expect(oldest).toMatchObject({ id: 'waiting' });
  expect(oldest?.waitedMs).toBeLessThan(2 * 3_600_000);
  const [queue] = (await processor.queues.list()).queues;
  expect(queue?.oldest).toEqual((await processor.getJob('waiting'))?.runAt);
});

test('of jobs that were all added after their moments, the one that was added first waits longest', async () => {
  const processor = await setUp();
  await processor.addJob('echo', {}, { id: 'first', runAt: new Date(2_000_000) });
  await processor.addJob('echo', {}, { id: 'second', runAt: new Date(1_000_000) });
  const queued = { $subtract: ['$queued', 60_000] };
  await database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: 'first' }, [{ $set: { queued } }]);

  const [oldest] = await processor.jobs.oldestWaiting();
  expect(oldest).toMatchObject({ id: 'first' });
  expect(Math.floor((oldest?.waitedMs ?? 0) / 60_000)).toBe(1);
});

test('a job that was delayed when it was cancelled keeps its moment when it is retried', async () => {
  const processor = await setUp();
  const runAt = new Date('2999-01-01');
  await processor.addJob('echo', {}, { id: 'a', runAt });
  await processor.cancelJob('a');
  await processor.retryJob('a');

  expect(await processor.getJob('a')).toMatchObject({ status: 'queued', runAt });
});

test('a job that was due when it was cancelled is due from when it is retried', async () => {
  const processor = await setUp();
  await processor.addJob('echo', {}, { id: 'a' });
  await waitingForAnHour('a');
  await processor.cancelJob('a');
  await processor.retryJob('a');

  const job = await processor.getJob('a');
  expect(job?.runAt).toEqual(job?.queued);
});
