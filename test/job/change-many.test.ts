import { expect, test } from 'vitest';
import { useDatabase } from '../database.js';
import { echo, failing } from '../jobs.js';

const database = useDatabase();

async function failed(count: number) {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  const ids = await processor.addJobs(Array.from({ length: count }, () => ({ name: 'failing' })));
  await processor.drain();
  return { processor, ids };
}

test('jobs that failed are queued again by a filter, slice by slice, and others are not', async () => {
  const { processor } = await failed(5);
  const other = await processor.addJob('echo', {}, { delay: '1h' });
  await processor.cancelJob(other);

  expect(await processor.jobs.retryMany({ status: 'error', jobName: 'failing' }, { limit: 2 })).toEqual({
    changed: 2,
    skipped: 0,
    more: true,
  });
  const rest = await processor.jobs.retryMany({ status: 'error', errorText: 'hopeless' });

  expect(rest).toEqual({ changed: 3, skipped: 0, more: false });
  expect((await processor.getJobs({ jobName: 'failing' })).map(({ status }) => status)).toEqual(
    Array(5).fill('queued'),
  );
  expect(await processor.getJobStatus(other)).toBe('cancelled');
});

test('a job that fails again meanwhile is not queued once more', async () => {
  const { processor, ids } = await failed(1);
  const { jobs } = database.collections();
  const one = await jobs.findOne({ _id: ids[0] ?? '' });
  if (!one) throw new Error('No job failed.');
  await jobs.insertMany(Array.from({ length: 3000 }, (_, n) => ({ ...one, _id: `copy ${n}` })));
  const worker = database.processor({ maxThreads: 100 });
  await worker.addJobFactory(failing);
  await worker.startProcessor();
  expect(await processor.jobs.retryMany({ status: 'error' })).toEqual({
    changed: 3001,
    skipped: 0,
    more: false,
  });
});

test('a job whose unique key is taken by now is skipped', async () => {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  await processor.addJob('failing', undefined, { uniqueKey: 'one' });
  await processor.addJob('failing');
  await processor.drain();
  const holder = await processor.addJob('failing', undefined, { uniqueKey: 'one', delay: '1h' });

  expect(await processor.jobs.retryMany({ status: 'error' })).toEqual({
    changed: 1,
    skipped: 1,
    more: false,
  });
  expect(await processor.getJobStatus(holder)).toBe('queued');
});

test('jobs that wait are cancelled by a filter', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const options = { queue: 'mail' };
  const ids = await processor.addJobs([
    { job: echo, input: {}, options },
    { job: echo, input: {} },
  ]);

  expect(await processor.jobs.cancelMany({ status: 'queued', queue: 'mail' })).toEqual({
    changed: 1,
    skipped: 0,
    more: false,
  });
  expect(await Promise.all(ids.map((id) => processor.getJobStatus(id)))).toEqual(['cancelled', 'queued']);
});

test('more than a slice are changed as a whole, and workers are asked for once', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJobs(Array.from({ length: 1_100 }, () => ({ name: 'echo', input: {} })));
  const asked: number[] = [];
  processor.on('jobsReady', ({ jobs }) => asked.push(jobs.length));
  const all = { changed: 1_100, skipped: 0, more: false };

  expect(await processor.jobs.cancelMany({ status: 'queued' })).toEqual(all);
  expect(asked).toEqual([]);
  expect(await processor.jobs.retryMany({ status: 'cancelled' }, { limit: 1_050 })).toEqual({
    changed: 1_050,
    skipped: 0,
    more: true,
  });
  expect(await processor.jobs.retryMany({ status: 'cancelled' })).toEqual({ ...all, changed: 50 });
  expect(asked).toEqual([1, 1]);
  expect((await processor.jobs.count()).queued.count).toBe(1_100);
});

test('it does not begin once the deadline has passed or the signal has fired', async () => {
  const { processor } = await failed(1);
  const nothing = { changed: 0, skipped: 0, more: true };

  expect(await processor.jobs.retryMany({ status: 'error' }, { deadline: new Date(0) })).toEqual(nothing);
  expect(await processor.jobs.retryMany({ status: 'error' }, { signal: AbortSignal.abort() })).toEqual(
    nothing,
  );
});

test('a filter that is none is refused', async () => {
  const { jobs } = database.processor();
  // @ts-expect-error the types refuse it already
  await expect(jobs.retryMany({ status: 'completed' })).rejects.toMatchObject({
    issues: [{ path: 'status' }],
  });
  // @ts-expect-error the types refuse it already
  await expect(jobs.cancelMany({})).rejects.toMatchObject({ issues: [{ path: 'status' }] });
});

test('jobs are queued again by when they failed', async () => {
  const { processor, ids } = await failed(3);
  const { jobs } = database.collections();
  for (const [hour, _id] of ids.entries())
    await jobs.updateOne({ _id }, { $set: { completed: new Date(hour * 3_600_000) } });
  const times = { endedAfter: new Date(3_600_000), endedBefore: new Date(7_200_000) };

  expect(await processor.jobs.retryMany({ status: 'error', ...times })).toMatchObject({ changed: 1 });

  expect(await processor.getJobStatus(ids[1] ?? '')).toBe('queued');
});
