/**
 * The original's doctest (m01.remote, README.txt) from its first line to its last, in its order, with every value
 * it shows. One test: each step builds on those before.
 */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type Logger, RemoteException } from '../src/index.js';
import { silent, useDatabase } from './database.js';

const database = useDatabase();

const echo = defineJob({
  name: 'echo',
  input: z.record(z.string(), z.unknown()),
  run: async ({ input }) => input,
});
const error = defineJob({
  name: 'error',
  run: async () => {
    throw new RemoteException('An error occurred.');
  },
});
const fatal = defineJob({
  name: 'fatal',
  run: async () => {
    throw new Error('An error occurred.');
  },
});

const anErrorOccurred = expect.stringMatching(
  /^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\] An error occurred\.$/,
);

test('the walk through the original package', async () => {
  const logged: string[] = [];
  const log: Logger = { ...silent, info: (message) => logged.push(message) };
  const root = database.processor({ name: 'root', log });
  const statuses = async () => (await root.getJobs()).map(({ status }) => status).sort();

  // The job container is initially empty.
  expect(await root.getJobs()).toEqual([]);

  // A job factory works without a queue.
  expect(await echo.call({ foo: 'blah' }, root)).toEqual({ foo: 'blah' });

  // Registered, it is available in the remote processor.
  await root.addJobFactory('echo', echo);
  expect(Object.keys(await root.getJobFactories())).toEqual(['echo']);

  // Adding gives an id, and the job is queued.
  const job1 = await root.addJob('echo', { foo: 'bar' });
  expect(job1).toEqual(expect.any(String));
  expect(await statuses()).toEqual(['queued']);
  expect(await root.getJobStatus(job1)).toBe('queued');

  // Not processed yet: no result.
  expect(await root.getJobResult(job1)).toBeNull();

  // As long as it is not being processed, it can be cancelled.
  await root.cancelJob(job1);
  expect(await root.getJobStatus(job1)).toBe('cancelled');
  expect(await statuses()).toEqual(['cancelled']);

  // The worker is not started by default.
  expect(root.isProcessing).toBe(false);
  logged.length = 0;
  root.startProcessor();
  expect(root.isProcessing).toBe(true);
  expect(logged).toEqual(["Processor 'root-worker' started"]);
  await root.stopProcessor();
  expect(root.isProcessing).toBe(false);

  // A result from a processed job.
  const job2 = await root.addJob('echo', { foo: 'bar' });
  expect(await statuses()).toEqual(['cancelled', 'queued']);
  await root.processNextJob();
  expect(await statuses()).toEqual(['cancelled', 'completed']);
  expect(await root.getJobStatus(job2)).toBe('completed');
  expect(await root.getJobResult(job2)).toEqual({ foo: 'bar' });

  // A job that causes an error which is not retried.
  await root.addJobFactory('error', error);
  const job3 = await root.addJob('error');
  await root.processNextJob();
  expect(await statuses()).toEqual(['cancelled', 'completed', 'error']);
  expect(await root.getJobStatus(job3)).toBe('error');
  expect(await root.getJobErrors(job3)).toEqual([anErrorOccurred]);

  // A not so nice error is retried: queued again, with the error in its list.
  await root.addJobFactory('fatal', fatal);
  const job4 = await root.addJob('fatal');
  await root.processNextJob();
  expect(await statuses()).toEqual(['cancelled', 'completed', 'error', 'queued']);
  expect((await root.getJob(job4))?.retryCounter).toBe(1);
  expect((await root.getJob(job4))?.status).toBe('queued');
  expect(await root.getJobErrors(job4)).toEqual([anErrorOccurred]);

  // Not due again yet; with its time set back it is.
  expect(await root.processNextJob()).toBe(false);
  await root.updateJob(job4, { runAt: new Date('2000-01-01T00:00:00Z') });
  await root.processNextJob();
  expect(await statuses()).toEqual(['cancelled', 'completed', 'error', 'queued']);
  expect((await root.getJob(job4))?.retryCounter).toBe(2);
  expect(await root.getJobErrors(job4)).toEqual([anErrorOccurred, anErrorOccurred]);

  // The third time it is given up.
  await root.updateJob(job4, { runAt: new Date('2000-01-01T00:00:00Z') });
  await root.processNextJob();
  expect(await statuses()).toEqual(['cancelled', 'completed', 'error', 'error']);
  expect((await root.getJob(job4))?.retryCounter).toBe(3);
  expect((await root.getJob(job4))?.status).toBe('error');
  expect(await root.getJobStatus(job4)).toBe('error');
  expect((await root.getJob(job4))?.errors.map(({ message }) => message)).toEqual(
    Array(3).fill('An error occurred.'),
  );
  expect(await root.getJobErrors(job4)).toEqual([anErrorOccurred, anErrorOccurred, anErrorOccurred]);

  // For management purposes all jobs can be inspected.
  const inspected = (await root.getJobs()).map(({ id, jobName }) => [id, jobName]);
  expect(new Map(inspected.map(([id, jobName]) => [id, jobName]))).toEqual(
    new Map([
      [job1, 'echo'],
      [job2, 'echo'],
      [job3, 'error'],
      [job4, 'fatal'],
    ]),
  );

  // Jobs that are not needed any more can be removed.
  const job8 = await root.addJob('echo', { blah: 'blah' });
  expect(await statuses()).toEqual(['cancelled', 'completed', 'error', 'error', 'queued']);
  expect(await root.removeJobs()).toEqual({ cancelled: 1, completed: 1, error: 2 });
  expect(await statuses()).toEqual(['queued']);

  // The last pending job can be pulled, and there are no more.
  expect(await root.pullNextJob()).toMatchObject({ id: job8, jobName: 'echo', input: { blah: 'blah' } });
  expect(await root.pullNextJob()).toBeUndefined();

  // Started, the loop shows under its name; stopped, it is gone.
  root.startProcessor();
  expect(root.loops()).toEqual(['root-worker']);
  await root.stopProcessor();
  expect(root.loops()).toEqual([]);
});
