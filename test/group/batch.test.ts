import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConflictError, defineJob, ValidationError } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

const report = defineJob({
  name: 'report',
  input: z.string(),
  output: z.string(),
  run: ({ input }) => `report ${input}`,
});

/** A kind of job that fails for negative numbers as long as this says so. */
async function withJobs() {
  const state = { fails: true };
  const load = defineJob({
    name: 'load',
    input: z.number(),
    output: z.number(),
    maxRetries: 1,
    run: ({ input }) => {
      if (input < 0 && state.fails) throw new Error(`no ${input}`);
      return input;
    },
  });
  const processor = database.processor();
  await processor.addJobFactories([load, report]);
  return { processor, load, state };
}

test('a job runs once after all jobs of a batch have completed', async () => {
  const { processor, load } = await withJobs();
  const jobs = [1, 2, 3].map((input) => ({ job: load, input }));
  const added = await processor.addBatch(jobs, { id: 'import', then: { job: report, input: 'all' } });
  expect(added).toEqual({ id: 'import', outcome: 'added' });
  expect(await processor.batches.get('import')).toMatchObject({
    status: 'running',
    size: 3,
    open: 3,
    completed: 0,
  });
  expect(await processor.drain()).toMatchObject({ completed: 4 });
  expect(await processor.getJobResult('import.then')).toBe('report all');
  expect(await processor.batches.get('import')).toMatchObject({
    status: 'completed',
    completed: 3,
    failed: 0,
    open: 0,
  });
  expect(await (await processor.batches.results('import')).outputs()).toEqual([1, 2, 3]);
});

test('while one has failed, the job after the batch waits until that is retried', async () => {
  const { processor, load, state } = await withJobs();
  const jobs = [1, -2].map((input) => ({ job: load, input }));
  await processor.addBatch(jobs, { id: 'import', then: { job: report, input: 'all' } });
  expect(await processor.drain()).toMatchObject({ completed: 1, errors: 1 });
  expect(await processor.batches.get('import')).toMatchObject({ status: 'failed', completed: 1, failed: 1 });
  expect(await processor.getJobStatus('import.then')).toBe('queued');
  state.fails = false;
  await processor.retryJob('import.000001');
  expect(await processor.batches.get('import')).toMatchObject({ status: 'running', open: 1 });
  expect(await processor.drain()).toMatchObject({ completed: 2 });
  expect(await processor.getJobStatus('import.then')).toBe('completed');
});

test('with settled, the job after the batch runs in any case', async () => {
  const { processor, load } = await withJobs();
  const jobs = [1, -2].map((input) => ({ job: load, input }));
  await processor.addBatch(jobs, { then: { job: report, input: 'all' }, when: 'settled' });
  expect(await processor.drain()).toMatchObject({ completed: 2, errors: 1 });
});

test('adding the same batch again changes nothing, and another one of its id is refused', async () => {
  const { processor, load } = await withJobs();
  const jobs = [1, 2].map((input) => ({ job: load, input }));
  const options = { id: 'import', then: { job: report, input: 'all' } };
  await processor.addBatch(jobs, options);
  await processor.drain();
  expect(await processor.addBatch(jobs, options)).toEqual({ id: 'import', outcome: 'kept' });
  expect(await processor.drain()).toMatchObject({ claimed: 0 });
  await expect(processor.addBatch(jobs.slice(1), options)).rejects.toThrow(ConflictError);
});

test('an empty batch is over at once', async () => {
  const { processor } = await withJobs();
  const { id } = await processor.addBatch([], { then: { job: report, input: 'none' } });
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect(await processor.batches.get(id)).toMatchObject({ status: 'completed', size: 0 });
});

test('a bad job, a bad job after it, and ids of their own are refused before anything is written', async () => {
  const { processor, load } = await withJobs();
  const good = { job: load, input: 1 };
  const refused = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return error instanceof ValidationError ? error.issues.map(({ path }) => path) : error;
  };
  const bad: unknown = 'one';
  expect(await refused(processor.addBatch([good, { name: 'load', input: bad }]))).toEqual(['1.input']);
  expect(await refused(processor.addBatch([good], { then: { name: 'report', input: 1 } }))).toEqual([
    'then.input',
  ]);
  expect(await refused(processor.addBatch([{ ...good, options: { id: 'x' } }]))).toEqual(['0.options.id']);
  expect((await processor.batches.list()).batches).toEqual([]);
  expect((await processor.jobs.list()).jobs).toEqual([]);
});

test('a cancelled batch ends, and a retried one goes on', async () => {
  const { processor, load } = await withJobs();
  const jobs = [1, 2].map((input) => ({ job: load, input }));
  await processor.addBatch(jobs, { id: 'import', then: { job: report, input: 'all' } });
  expect(await processor.batches.cancel('import')).toBe(2);
  expect(await processor.drain()).toMatchObject({ claimed: 0 });
  expect(await processor.batches.get('import')).toMatchObject({ status: 'cancelled', failed: 2 });
  expect(await processor.getJobStatus('import.then')).toBe('cancelled');
  expect(await processor.batches.retry('import')).toBe(2);
  expect(await processor.drain()).toMatchObject({ completed: 3 });
  expect(await processor.batches.get('import')).toMatchObject({ status: 'completed' });
});

test('a batch that is over stays as it is when it is cancelled', async () => {
  const { processor, load } = await withJobs();
  await processor.addBatch([{ job: load, input: -1 }], { id: 'over' });
  await processor.drain();
  expect(await processor.batches.get('over')).toMatchObject({ status: 'failed' });
  expect(await processor.batches.cancel('over')).toBe(0);
  expect(await processor.batches.get('over')).toMatchObject({ status: 'failed' });
});

test('a batch whose last job is gone is not retried: it would end without it', async () => {
  const { processor, load } = await withJobs();
  await processor.addBatch([{ job: load, input: -1 }], { id: 'load', then: { job: report, input: 'all' } });
  await processor.drain();
  await processor.cancelJob('load.then');
  await processor.removeJob('load.then');
  await expect(processor.batches.retry('load')).rejects.toThrow(/'load\.then', which runs after it, is gone/);
  expect(await processor.batches.get('load')).toMatchObject({ status: 'failed', open: 0 });
});

test('a batch is removed with its jobs, and not while they run', async () => {
  const { processor, load } = await withJobs();
  await processor.addBatch([{ job: load, input: 1 }], { id: 'import' });
  await expect(processor.batches.remove('import')).rejects.toThrow(ConflictError);
  await processor.drain();
  await expect(processor.removeJob('import.000000')).rejects.toThrow(ConflictError);
  expect(await processor.removeJobs()).toMatchObject({ completed: 0 });
  await processor.batches.remove('import');
  expect((await processor.jobs.list()).jobs).toEqual([]);
});
