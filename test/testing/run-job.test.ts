import { expect, test } from 'vitest';
import { z } from 'zod';
import { createTestProcessor, expectAdded, runBatch, runJob } from '../../local/testing/index.js';
import { defineJob } from '../../src/index.js';

const count = defineJob({
  name: 'count',
  input: z.object({ to: z.number(), from: z.number().default(1) }),
  output: z.object({ sum: z.number().min(3), by: z.string() }),
  run: async ({ input, attempt, token, signal, jobId, progress, log }) => {
    signal.throwIfAborted();
    log('Counting', { from: input.from });
    await progress(input.from, input.to, 'counted');
    return { sum: input.from + input.to, by: `${jobId} ${attempt} ${token}`, ...{ dropped: undefined } };
  },
});

const unstorable = defineJob({ name: 'unstorable', run: () => () => 'a function' });

const spread = defineJob({
  name: 'spread',
  input: z.string(),
  run: async ({ input, processor }) => processor.addJob(count, { to: Number(input) }),
});

test('runJob returns the output, the progress and the log lines of a job', async () => {
  expect(await runJob(count, { to: 3 })).toEqual({
    output: { sum: 4, by: 'job 1 token' },
    steps: [],
    progress: [{ done: 1, of: 3, message: 'counted' }],
    logs: [{ message: 'Counting', fields: { from: 1 } }],
  });
});

test('runJob passes attempt, token and job id', async () => {
  const { output } = await runJob(count, { to: 3 }, { attempt: 2, token: 'a', jobId: '7' });
  expect(output.by).toBe('7 2 a');
});

test('runJob throws what the job throws', async () => {
  const signal = AbortSignal.abort(new Error('The worker must stop.'));
  await expect(runJob(count, { to: 3 }, { signal })).rejects.toThrow('The worker must stop.');
});

test('runJob refuses an input and an output as a worker does', async () => {
  const wrong: { to: number } = JSON.parse('{ "to": "three" }');
  await expect(runJob(count, wrong)).rejects.toMatchObject({ issues: [{ path: 'to' }] });
  await expect(runJob(count, { to: 1 })).rejects.toMatchObject({ issues: [{ path: 'sum' }] });
  await expect(runJob(unstorable)).rejects.toMatchObject({ code: 'validation_failed' });
  await expect(runJob(count, { to: 1 }, { attempt: 0 })).rejects.toMatchObject({
    issues: [{ path: 'attempt' }],
  });
});

test('a job that uses its processor needs one', async () => {
  await expect(runJob(spread, '3')).rejects.toThrow("'spread' uses its processor");
  await using processor = await createTestProcessor({ jobs: { count } });
  await runJob(spread, '3', { processor });
  expect(await expectAdded(processor, count, { to: 3 })).toMatchObject({ status: 'queued' });
});

const load = defineJob({
  name: 'load',
  input: z.object({ row: z.number() }),
  output: z.number().max(9),
  batch: { size: 3 },
  runBatch: async ({ jobs, log }) => {
    log('Loading', { rows: jobs.length });
    jobs[1]?.fail(new Error('The second is bad.'));
    return jobs.map(({ input }) => input.row);
  },
});

test('runBatch returns how each job of a batch ended, and runJob runs a batch of one', async () => {
  const loading = { message: 'Loading', fields: { rows: 3 } };
  const [first, second, third] = await runBatch(load, [{ row: 1 }, { row: 2 }, { row: 10 }]);
  expect(first).toEqual({ output: 1, error: undefined, progress: [], logs: [loading] });
  expect(second).toMatchObject({ output: undefined, error: { message: 'The second is bad.' } });
  expect(third).toMatchObject({ output: undefined, error: { code: 'validation_failed' } });
  expect((await runJob(load, { row: 5 })).output).toBe(5);
});

test('runBatch refuses a job that is not batched, and too many inputs', async () => {
  await expect(runBatch(count, [{ to: 1 }])).rejects.toMatchObject({ code: 'validation_failed' });
  await expect(runBatch(load, [])).rejects.toMatchObject({ code: 'validation_failed' });
  await expect(runBatch(load, Array(4).fill({ row: 1 }))).rejects.toMatchObject({
    code: 'validation_failed',
  });
});
