import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobContext, RemoteException } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

/** An order whose charge is a job of its own, and that then does `later`. */
async function ordered(later: (context: JobContext<undefined>) => unknown, maxRetries = 1) {
  const undone: string[] = [];
  const state = { isRefused: false };
  const charge = defineJob({
    name: 'charge',
    input: z.string(),
    output: z.object({ id: z.string() }),
    maxRetries: 1,
    run: ({ input }) => {
      if (state.isRefused) throw new RemoteException('The card is refused.');
      return { id: `charge of ${input}` };
    },
  });
  const order = defineJob({
    name: 'order',
    maxRetries,
    retryDelay: 0,
    run: async (context) => {
      const { step } = context;
      for (const item of ['tea', 'cup'])
        await step.invoke(item, charge, item, { compensate: ({ id }) => void undone.push(id) });
      return later(context);
    },
  });
  const processor = database.processor();
  await processor.addJobFactories([charge, order]);
  const id = await processor.addJob(order);
  return { processor, id, undone, state };
}

test('what children have done is undone, the last first, if their parent fails for good', async () => {
  const { processor, id, undone } = await ordered(() => {
    throw new Error('There is none left.');
  });
  await processor.drain();
  expect(undone).toEqual(['charge of cup', 'charge of tea']);
  const { status, errors } = (await processor.getJob(id)) ?? {};
  expect([status, errors?.at(-1)?.message]).toEqual(['error', 'There is none left.']);
  await processor.retryJob(id);
  await processor.drain();
  expect(undone).toHaveLength(4);
});

test('a child that failed is not undone, and those before it are', async () => {
  const { processor, undone, state } = await ordered(() => {});
  await processor.processNextJob();
  await processor.processNextJob();
  state.isRefused = true;
  await processor.drain();
  expect(undone).toEqual(['charge of tea']);
});

test('children of a parent that completes, or whose attempt is repeated, are not undone', async () => {
  const { processor, id, undone } = await ordered(({ attempt }) => {
    if (attempt === 1) throw new Error('again');
  }, 2);
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
  expect(undone).toEqual([]);
});

test('what children have done is undone though the worker dies in the last attempt of their parent', async () => {
  const stored: unknown[] = [];
  const { processor, id, undone } = await ordered(async ({ jobId, processor }) => {
    const steps = await processor.jobs.steps(jobId);
    stored.push(steps.steps.find(({ name }) => name === 'cup')?.state);
    throw new Error('again');
  }, 2);
  const { jobs } = database.collections();
  while ((await processor.getJob(id))?.errors.length === 0) await processor.processNextJob();
  // The end of the child is stored before anything else happens.
  expect(stored).toEqual(['completed']);
  await processor.pullNextJob();
  await jobs.updateMany({ status: 'processing' }, { $set: { 'lease.expires': new Date(1) } });
  await processor.recoverJobs();
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('error');
  expect(undone).toEqual(['charge of cup', 'charge of tea']);
});
