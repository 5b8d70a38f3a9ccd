import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobContext, type MemberResult } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { endWaits } from '../step/over.js';

const database = useDatabase();

const double = defineJob({
  name: 'double',
  input: z.number(),
  output: z.number(),
  maxRetries: 1,
  run: ({ input }) => {
    if (input < 0) throw new Error(`no ${input}`);
    return input * 2;
  },
});

type Work = (context: JobContext<unknown>) => unknown;

async function added(run: Work) {
  const processor = database.processor();
  const parent = defineJob({ name: 'parent', input: z.unknown(), maxRetries: 1, run });
  await processor.addJobFactories([double, parent]);
  return { processor, id: await processor.addJob(parent, 1) };
}

test('a job adds a child, waits for it and gets its output', async () => {
  const { processor, id } = await added(({ step }) => step.invoke('one', double, 21));
  expect(await processor.drain()).toMatchObject({ completed: 2, suspended: 1 });
  expect(await processor.getJobResult(id)).toBe(42);
});

test('children run, and their results are read one by one', async () => {
  const { processor, id } = await added(async ({ step }) => {
    const results = await step.fanOut('all', double, [1, 2, -3], { onError: 'collect' });
    const told: MemberResult<number>[] = [];
    for await (const result of results) told.push(result);
    return { count: results.count, failed: results.failed, told };
  });
  expect(await processor.drain()).toMatchObject({ completed: 3, errors: 1, suspended: 1 });
  expect(await processor.getJobResult(id)).toMatchObject({
    count: 3,
    failed: 1,
    told: [
      { index: 0, status: 'completed', output: 2 },
      { index: 1, status: 'completed', output: 4 },
      { index: 2, status: 'error', error: 'no -3' },
    ],
  });
});

test('children that fail make the step fail once all have ended, and a retry runs only these again', async () => {
  const { processor, id } = await added(async ({ step }) =>
    (await step.fanOut('all', double, [1, -2, 3])).outputs(),
  );
  expect(await processor.drain()).toMatchObject({ completed: 2, errors: 2, suspended: 1 });
  const { errors } = (await processor.getJob(id)) ?? {};
  expect(errors?.at(-1)?.message).toMatch(
    /^Step 'all' failed: 1 of 3 children failed, such as job '.*000001': no -2/,
  );
  await processor.retryJob(id);
  expect(await processor.drain()).toMatchObject({ completed: 0, errors: 2, suspended: 1 });
});

test('a child is not retried once its parent has ended', async () => {
  const { processor, id } = await added(({ step }) => step.invoke('one', double, -1));
  await processor.drain();
  const [child] = (await processor.jobs.children(id)).jobs;
  await expect(processor.retryJob(child?.id ?? '')).rejects.toThrow(`its parent '${id}' has ended`);
  expect(await processor.jobs.retryMany({ status: 'error', jobName: 'double' })).toMatchObject({
    changed: 0,
    skipped: 1,
  });
});

test('with cancel, the first failure cancels the others', async () => {
  const processor = database.processor();
  const slow = defineJob({
    name: 'slow',
    input: z.number(),
    maxRetries: 1,
    run: async ({ input, step }) => {
      if (input < 0) throw new Error('at once');
      await step.sleep('long', '1 day');
    },
  });
  const parent = defineJob({
    name: 'parent',
    maxRetries: 1,
    run: ({ step }) => step.fanOut('all', slow, [1, -2, 3], { onError: 'cancel' }),
  });
  await processor.addJobFactories([slow, parent]);
  const id = await processor.addJob(parent);
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('error');
  const { jobs } = await processor.jobs.children(id);
  expect(jobs.map(({ status }) => status)).toEqual(['cancelled', 'error', 'cancelled']);
});

/** A job that waits for a child that waits for a child that sleeps. */
async function withGrandchild() {
  const processor = database.processor();
  const sleeper = defineJob({ name: 'sleeper', run: ({ step }) => step.sleep('long', '1 day') });
  const middle = defineJob({ name: 'middle', run: ({ step }) => step.invoke('sleeper', sleeper) });
  const top = defineJob({
    name: 'top',
    input: z.object({ timeout: z.string().optional() }),
    maxRetries: 1,
    run: ({ input, step }) =>
      step.invoke('middle', middle, undefined, {
        ...(input.timeout !== undefined && { timeout: input.timeout }),
      }),
  });
  await processor.addJobFactories([sleeper, middle, top]);
  const id = await processor.addJob(top, {}, { id: 'top' });
  const statuses = async () => (await processor.jobs.children('top')).jobs.map(({ status }) => status);
  return { processor, top, id, statuses };
}

test('cancelling a job cancels all jobs below it', async () => {
  const { processor, id, statuses } = await withGrandchild();
  await processor.drain();
  expect(await statuses()).toEqual(['queued', 'queued']);
  await processor.cancelJob(id);
  expect(await statuses()).toEqual(['cancelled', 'cancelled']);
});

test('removing a job removes all jobs below it, and these are not removed by themselves', async () => {
  const { processor, id } = await withGrandchild();
  await processor.drain();
  await processor.cancelJob(id);
  const [child] = (await processor.jobs.children(id)).jobs;
  await expect(processor.removeJob(child?.id ?? '')).rejects.toThrow('is removed together with that');
  expect(child).toMatchObject({ parents: ['top'], group: expect.stringMatching(/^children top:1\./) });
  await processor.removeJob(id);
  expect((await processor.jobs.list()).jobs).toEqual([]);
});

test('a child that takes too long is cancelled, and the step fails', async () => {
  const { processor, top, statuses } = await withGrandchild();
  await processor.cancelJob('top');
  await processor.removeJob('top');
  await processor.addJob(top, { timeout: '1 hour' }, { id: 'top' });
  await processor.drain();
  await endWaits(database.db, 'top');
  await processor.drain();
  expect(await processor.getJobStatus('top')).toBe('error');
  expect(await statuses()).toEqual(['cancelled', 'cancelled']);
  const { errors } = (await processor.getJob('top')) ?? {};
  expect(errors?.at(-1)?.message).toBe(
    "Step 'middle' failed: its time was over before all children had ended",
  );
});

test('no more children run at a time than their step allows', async () => {
  let running = 0;
  let most = 0;
  const busy = defineJob({
    name: 'busy',
    input: z.number(),
    run: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
    },
  });
  const parent = defineJob({
    name: 'parent',
    run: async ({ step }) =>
      (await step.fanOut('all', busy, [1, 2, 3, 4, 5, 6, 7], { concurrency: 2 })).count,
  });
  const processor = database.processor({ maxThreads: 10 });
  await processor.addJobFactories([busy, parent]);
  const id = await processor.addJob(parent);
  await processor.drain();
  expect(await processor.getJobResult(id)).toBe(7);
  expect(most).toBeLessThanOrEqual(2);
});

test('what cannot be added is refused with its path, and nothing is added', async () => {
  const { processor, id } = await added(({ step }) => {
    const bad: readonly unknown[] = [1, 'two'];
    return step.fanOut('all', 'double', bad);
  });
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('error');
  expect((await processor.getJob(id))?.errors.at(-1)?.message).toContain('1.input');
  expect((await processor.jobs.children(id)).jobs).toEqual([]);
});

test('without children there is nothing to wait for', async () => {
  const { processor, id } = await added(async ({ step }) => (await step.fanOut('none', double, [])).count);
  expect(await processor.drain()).toMatchObject({ completed: 1, suspended: 0 });
  expect(await processor.getJobResult(id)).toBe(0);
});

test('a job that hangs after its children is given back once, for the end of its wait, and fails the next time', async () => {
  const processor = database.processor();
  const hangs = defineJob({
    name: 'hangs',
    input: z.unknown(),
    maxRetries: 1,
    timeout: 500, // Adding the children must fit, also where much else runs.
    run: async ({ step, signal }) => {
      await step.fanOut('all', double, [1, 2]);
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  await processor.addJobFactories([double, hangs]);
  const id = await processor.addJob(hangs, 1);
  await eventually(async () => {
    await processor.drain();
    expect(await processor.getJob(id)).toMatchObject({ status: 'error' });
  });
  const { stepLog: { entries = [] } = {} } = (await database.storedJob(id)) ?? {};
  expect(entries).toMatchObject([{ name: 'all', state: 'completed' }]);
  expect(await processor.getJob(id)).toMatchObject({
    givenBackCounter: 2,
    errors: [{ message: expect.stringMatching(/timed out|timeout/) }],
  });
});
