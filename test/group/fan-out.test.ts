import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobContext, type MemberResult } from '../../src/index.js';
import { useDatabase } from '../database.js';

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
