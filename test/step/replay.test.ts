import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobContext } from '../../src/index.js';
import { findSteps } from '../../src/job/find-steps.js';
import { replay } from '../../src/step/replay.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

type Run = (context: JobContext<unknown>) => unknown;

const order = (run: Run, version = 1) => defineJob({ name: 'order', input: z.unknown(), version, run });

/** Runs a job until it waits, and returns what other code would do with it. */
async function replayed(before: Run, after: Run, version?: { before?: number; after?: number }) {
  const processor = database.processor();
  await processor.addJobFactory(order(before, version?.before));
  const id = await processor.addJob('order', { n: 1 });
  await processor.drain();
  const job = await processor.getJob(id);
  if (!job) throw new Error('It is gone.');
  const { steps: entries } = await findSteps(database.collections(), id);
  const told = await replay(order(after, version?.after), { job, entries }, processor);
  expect(await processor.getJob(id)).toEqual(job);
  return told;
}

const original: Run = async ({ step }) => {
  await step.run('charge', () => 7);
  await step.run('reserve', () => 8);
  await step.waitForSignal('paid', { timeout: '3 days' });
  await step.run('ship', () => 9);
};

test('the same code finds all that is stored, and waits for the same', async () => {
  expect(await replayed(original, original)).toEqual({
    met: ['charge', 'reserve', 'paid'],
    next: ['paid'],
    unmet: [],
  });
});

test('renamed steps are found by their former names, and are told without', async () => {
  const calls: string[] = [];
  const renamed =
    (was: object): Run =>
    async ({ step }) => {
      const paid = await step.run('charge card', was, () => calls.push('charged'));
      expect(paid).toBe(7);
      await step.run('reserve', () => calls.push('reserved'));
      await step.sleep('new', '1s');
    };
  expect(await replayed(original, renamed({ was: 'charge' }))).toEqual({
    met: ['charge', 'reserve'],
    next: ['new'],
    unmet: ['paid'],
  });
  expect(await replayed(original, renamed({}))).toEqual({
    met: [],
    next: ['charge card'],
    unmet: ['paid', 'charge', 'reserve'],
  });
  expect(calls).toEqual([]);
});

test('steps at the same time are all asked for, iterations go on, and errors are told', async () => {
  const together: Run = async ({ step }) => {
    await Promise.all([step.run('a', () => 1), step.sleep('b', '1 day'), step.waitForSignal('c')]);
  };
  expect(await replayed(together, together)).toMatchObject({ met: ['a', 'b', 'c'], next: ['b', 'c'] });
  const using: Run = async ({ processor }) => processor.addJob('order');
  expect(await replayed(original, using)).toMatchObject({
    problem: 'processor.addJob was used between two steps: put it into a step.',
  });
});

test('older code passes over what newer code has begun', async () => {
  expect(await replayed(original, original, { before: 2, after: 1 })).toBeUndefined();
});
