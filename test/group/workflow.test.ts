import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, resultOf, ValidationError } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

async function withJobs() {
  const ran: string[] = [];
  const state = { fails: false };
  const extract = defineJob({
    name: 'extract',
    input: z.object({ day: z.string() }),
    output: z.object({ rows: z.array(z.number()) }),
    maxRetries: 1,
    run: ({ input }) => {
      ran.push(`extract ${input.day}`);
      if (state.fails) throw new Error('no rows');
      return { rows: [1, 2] };
    },
  });
  const load = defineJob({
    name: 'load',
    input: z.object({ rows: z.array(z.number()), table: z.string() }),
    output: z.number(),
    run: ({ input }) => {
      ran.push(`load ${input.rows.join()} into ${input.table}`);
      return input.rows.length;
    },
  });
  const report = defineJob({
    name: 'report',
    input: z.object({ text: z.string().optional() }),
    run: () => void ran.push('report'),
  });
  const processor = database.processor();
  await processor.addJobFactories([extract, load, report]);
  return { processor, extract, load, report, ran, state };
}

test('jobs run after each other, and get the results of those before', async () => {
  const { processor, extract, load, report, ran } = await withJobs();
  const added = await processor.addWorkflow({
    id: 'nightly',
    jobs: {
      report: { job: report, input: {}, after: ['load'] },
      load: { job: load, input: { rows: resultOf<number[]>('extract', 'rows'), table: 'days' } },
      extract: { job: extract, input: { day: 'monday' } },
    },
  });
  expect(added).toEqual({ id: 'nightly', outcome: 'added' });
  expect((await processor.jobs.count()).queued.count).toBe(3);
  expect(await processor.drain()).toMatchObject({ completed: 3 });
  expect(ran).toEqual(['extract monday', 'load 1,2 into days', 'report']);
  expect(await processor.workflows.get('nightly')).toMatchObject({ status: 'completed', completed: 3 });
  expect(await processor.workflows.outputs('nightly')).toEqual({
    extract: { rows: [1, 2] },
    load: 2,
    report: null,
  });
});

test('when a job fails, what waits for it goes on once it is retried', async () => {
  const { processor, extract, load, report, ran, state } = await withJobs();
  state.fails = true;
  const failed: string[] = [];
  processor.on('workflowFailed', ({ workflow }) => failed.push(workflow));
  await processor.addWorkflow({
    id: 'nightly',
    jobs: {
      extract: { job: extract, input: { day: 'monday' } },
      load: { job: load, input: { rows: resultOf<number[]>('extract', 'rows'), table: 'days' } },
      report: { job: report, input: {}, after: ['extract'], when: 'settled' },
    },
  });
  expect(await processor.drain()).toMatchObject({ completed: 1, errors: 1 });
  expect(ran).toEqual(['extract monday', 'report']);
  expect(await processor.workflows.get('nightly')).toMatchObject({ status: 'failed', failed: 1, open: 1 });
  expect(failed).toEqual(['nightly']);
  state.fails = false;
  expect(await processor.workflows.retry('nightly')).toBe(1);
  expect(await processor.drain()).toMatchObject({ completed: 2 });
  expect(await processor.workflows.get('nightly')).toMatchObject({ status: 'completed' });
});

test('circles, unknown names and misfits are refused with their paths, before anything is written', async () => {
  const { processor, extract, load, report } = await withJobs();
  const refused = async (jobs: Parameters<typeof processor.addWorkflow>[0]['jobs']) => {
    const error = await processor.addWorkflow({ jobs }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return error instanceof ValidationError ? error.issues : error;
  };
  const one = { job: report, input: {} };
  expect(await refused({ a: { ...one, after: ['b'] }, b: { ...one, after: ['a'] } })).toEqual([
    { path: 'jobs.a.after', message: "expected no circle: 'a' after 'b' after 'a'" },
  ]);
  expect(await refused({ a: one, ['__proto__']: one })).toMatchObject([{ path: 'jobs.__proto__' }]);
  expect(await refused({ a: { ...one, after: ['x'] } })).toMatchObject([{ path: 'jobs.a.after' }]);
  expect(await refused({ a: { ...one, after: ['a'] } })).toMatchObject([{ path: 'jobs.a.after' }]);
  expect(
    await refused({
      extract: { job: extract, input: { day: 'monday' } },
      load: { job: load, input: { rows: resultOf<number[]>('extract'), table: 'days' } },
    }),
  ).toEqual([
    {
      path: 'jobs.load.input.rows',
      message: "the result of 'extract' does not fit: expected array, and it is object",
    },
  ]);
  expect(
    await refused({
      extract: { job: extract, input: { day: 'monday' } },
      load: { name: 'load', input: { rows: resultOf<number[]>('extract', 'rows') } },
    }),
  ).toMatchObject([{ path: 'jobs.load.input.table' }]);
  expect(
    await refused({
      extract: { job: extract, input: { day: 'monday' } },
      load: { job: load, input: { rows: resultOf<number[]>('extract', 'lines'), table: 'days' } },
    }),
  ).toEqual([
    {
      path: 'jobs.load.input.rows',
      message: "the result of 'extract' does not fit: it has no 'lines'",
    },
  ]);
  const names = Array.from({ length: 142 }, (_, n) => `job-${n}`);
  const tangled = names.map((name, n) => [name, { ...one, after: names.slice(0, n) }]);
  expect(await refused(Object.fromEntries(tangled))).toMatchObject([
    { path: 'jobs', message: expect.stringContaining('at most 10000') },
  ]);
  const closed = defineJob({
    name: 'closed',
    output: z.strictObject({ a: z.string() }),
    run: () => ({ a: '' }),
  });
  await processor.addJobFactory(closed);
  expect(
    await refused({
      closed: { job: closed },
      report: { job: load, input: resultOf<{ rows: number[]; table: string }>('closed') },
    }),
  ).toEqual([
    {
      path: 'jobs.report.input',
      message: "the result of 'closed' does not fit: rows: expected, and it has none",
    },
  ]);
  expect((await processor.workflows.list()).workflows).toEqual([]);
  expect((await processor.jobs.list()).jobs).toEqual([]);
});

test('adding a workflow again changes nothing', async () => {
  const { processor, report } = await withJobs();
  const workflow = {
    id: 'w',
    jobs: { one: { job: report, input: {} }, two: { job: report, input: {}, after: ['one'] } },
  };
  await processor.addWorkflow(workflow);
  await processor.drain();
  expect(await processor.addWorkflow(workflow)).toEqual({ id: 'w', outcome: 'kept' });
  expect(await processor.drain()).toMatchObject({ claimed: 0 });
});

test('a cancelled workflow runs nothing more', async () => {
  const { processor, report } = await withJobs();
  await processor.addWorkflow({
    id: 'w',
    jobs: { one: { job: report, input: {} }, two: { job: report, input: {}, after: ['one'] } },
  });
  expect(await processor.workflows.cancel('w')).toBe(2);
  expect(await processor.drain()).toMatchObject({ claimed: 0 });
  expect(await processor.workflows.get('w')).toMatchObject({ status: 'cancelled' });
  expect(await processor.workflows.retry('w')).toBe(2);
  expect(await processor.drain()).toMatchObject({ completed: 2 });
});
