import { AssertionError } from 'node:assert';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createTestProcessor, expectAdded } from '../../local/testing/index.js';
import { defineJob } from '../../src/index.js';

const remind = defineJob({
  name: 'remind',
  input: z.object({ user: z.string(), at: z.date().optional(), note: z.string().optional() }),
});
const other = defineJob({ name: 'other' });

test('expectAdded finds a job by its kind, its input or a function, and returns the newest', async () => {
  await using processor = await createTestProcessor();
  const at = new Date('2026-01-31T09:00:00Z');
  await processor.addJob(remind, { user: 'Ada', at, note: undefined });
  const id = await processor.addJob(remind, { user: 'Bob' }, { delay: '1h' });

  expect((await expectAdded(processor, remind)).id).toBe(id);
  expect((await expectAdded(processor, 'remind')).id).toBe(id);
  expect(
    (await expectAdded(processor, remind, { user: 'Ada', at: new Date(at), note: undefined })).id,
  ).not.toBe(id);
  const isOfBob = (input: unknown) => JSON.stringify(input).includes('Bob');
  expect((await expectAdded(processor, remind, isOfBob)).runAt).toEqual(
    new Date(+processor.now() + 3_600_000),
  );
});

test('expectAdded tells what was added instead', async () => {
  await using processor = await createTestProcessor();
  const message = async (...args: Parameters<typeof expectAdded>) => {
    const error: unknown = await expectAdded(...args).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AssertionError);
    return error instanceof AssertionError ? error.message : undefined;
  };
  expect(await message(processor, remind, { user: 'Ada' })).toBe(
    "Expected that the job 'remind' with the input { user: 'Ada' } was added. No job was added.",
  );
  await processor.addJob(other);
  expect(await message(processor, remind)).toBe(
    "Expected that the job 'remind' was added. Only other jobs were added, the newest first:\n  'other' with the input undefined (queued)",
  );
  await processor.addJob(remind, { user: 'Bob' });
  expect(await message(processor, remind, () => false)).toBe(
    "Expected that the job 'remind' with an input that the function accepts was added. It was added with other inputs, the newest first:\n  'remind' with the input { user: 'Bob' } (queued)",
  );
});
