/** Limits that no job can have, and inputs without a key: refused before anything is written. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobFactory } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();
const run = async () => {};

/** Defines a job as plain JavaScript may, with any options. */
function anyJob(options: object): JobFactory<unknown> {
  return Reflect.apply(defineJob, undefined, [{ name: 'import', input: z.unknown(), run, ...options }]);
}

test.each([
  ['no place', { concurrency: { limit: 0 } }, 'concurrency.0.limit'],
  ['too many places', { concurrency: { limit: 1001 } }, 'concurrency.0.limit'],
  [
    'too many limits',
    { concurrency: [1, 2, 3, 4, 5].map((n) => ({ limit: 1, name: `l${n}` })) },
    'concurrency',
  ],
  ['no limit in a list', { concurrency: [] }, 'concurrency'],
  ['the same limit twice', { concurrency: [{ limit: 1 }, { limit: 2 }] }, 'concurrency.1.name'],
  ['a key that is none', { concurrency: { limit: 1, key: 7 } }, 'concurrency.0.key'],
  ['an unknown option', { concurrency: { limit: 1, slots: 2 } }, 'concurrency.0'],
  ['no period', { rateLimit: { limit: 1, period: 0 } }, 'rateLimit.period'],
  ['a period that is none', { rateLimit: { limit: 1, period: 'often' } }, 'rateLimit.period'],
  ['no start', { rateLimit: { limit: 0, period: '1s' } }, 'rateLimit.limit'],
  ['no burst', { rateLimit: { limit: 1, period: '1s', burst: 0 } }, 'rateLimit.burst'],
])('%s is refused', (_, options, path) => {
  expect(() => anyJob(options)).toThrow(
    expect.objectContaining({
      code: 'validation_failed',
      issues: expect.arrayContaining([expect.objectContaining({ path: expect.stringContaining(path) })]),
    }),
  );
});

test.each([
  [
    'a path that the input lacks',
    'customer.id',
    {},
    "expected a text or a number at 'customer.id' of the input, not nothing",
  ],
  ['a path to an object', 'customer', { customer: {} }, 'not a value of type object'],
  ['a path to a method of every object', 'toString', {}, 'not nothing'],
  ['an empty text', 'customer', { customer: '' }, 'expected 1 to 200 characters'],
  ['a long text', 'customer', { customer: 'a'.repeat(201) }, 'not 201'],
  ['a function that returns nothing', () => undefined, {}, 'expected a text or a number from its function'],
  [
    'a function that throws',
    () => {
      throw new Error('oops');
    },
    {},
    'its function threw: oops',
  ],
])('%s is refused when the job is added, and nothing is written', async (_, key, input, message) => {
  const job = anyJob({ concurrency: { limit: 1, key } });
  const processor = database.processor();
  await processor.addJobFactory(job);
  await expect(processor.addJob(job, input)).rejects.toMatchObject({
    code: 'validation_failed',
    issues: [{ path: 'concurrency.0.key', message: expect.stringContaining(message) }],
  });
  expect(await processor.jobs.count()).toMatchObject({ queued: { count: 0 } });
});

test('a job that was added without its code, and whose input has no key, ends in error', async () => {
  const job = anyJob({ concurrency: { limit: 1, key: 'customer' } });
  const worker = database.processor();
  await worker.addJobFactory(job);
  const producer = database.processor();
  const id = await producer.addJob('import', { other: 1 });
  expect(await worker.drain()).toMatchObject({ errors: 1 });
  expect(await worker.getJobErrors(id)).toEqual([
    expect.stringContaining("expected a text or a number at 'customer' of the input, not nothing"),
  ]);
});

test('without its unique index no job with limits runs, none is lost, and other jobs run', async () => {
  const job = anyJob({ concurrency: { limit: 1 } });
  const { db } = database;
  const prefix = 'unindexed.';
  const processor = database.processor({ collectionPrefix: prefix });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job, {});
  const plain = defineJob({ name: 'plain', run });
  await processor.addJobFactory(plain);
  await processor.addJob(plain);
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect(await processor.getJob(id)).toMatchObject({ status: 'queued', retryCounter: 0 });
  await processor.ensureIndexes();
  await processor.updateJob(id, { delay: 0 });
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  await Promise.all(
    (await db.collections()).map((each) => each.collectionName.startsWith(prefix) && each.drop()),
  );
});
