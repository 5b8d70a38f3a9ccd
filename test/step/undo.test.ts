import { expect, test } from 'vitest';
import { defineJob, type JobContext, RemoteException, type RemoteProcessor } from '../../src/index.js';
import { MAX_UNFINISHED } from '../../src/job/end-attempt.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

/** Adds a job that has made a charge in its first attempt, and does `later` at the start of the others. */
async function charged(later: (context: JobContext<undefined>) => unknown) {
  const calls: string[] = [];
  const processor = database.processor();
  const job = defineJob({
    name: 'order',
    maxRetries: 2,
    retryDelay: 0,
    run: async (context) => {
      const { step, attempt } = context;
      if (attempt > 1) await later(context);
      await step.run('charge', { compensate: () => void calls.push('refund') }, () => calls.push('charge'));
      if (attempt === 1) throw new Error('the first attempt fails');
      await step.run('deliver', () => calls.push('deliver'));
    },
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  await processor.processNextJob();
  return { processor, id, calls };
}

const jobs = () => database.collections().jobs;

/** Lets a worker take the job and die. */
async function lose(processor: RemoteProcessor): Promise<void> {
  await processor.pullNextJob();
  await jobs().updateMany({ status: 'processing' }, { $set: { 'lease.expires': new Date(1) } });
}

async function endOf({ processor, id }: { processor: RemoteProcessor; id: string }) {
  await processor.drain();
  const { status, errors = [] } = (await processor.getJob(id)) ?? {};
  return [status, errors.at(-1)?.message];
}

test('a job that is lost with its worker in its last attempt is undone', async () => {
  const { calls, ...order } = await charged(() => {});
  await lose(order.processor);
  await order.processor.recoverJobs();

  expect(await endOf(order)).toEqual(['error', expect.stringContaining('lost its lease')]);
  expect(calls).toEqual(['charge', 'refund']);
});

test('a job whose workers die while it is being undone has five attempts for that, and then ends', async () => {
  const { calls, ...order } = await charged(() => {});
  let lost = 0;
  for (; (await order.processor.getJobStatus(order.id)) === 'queued'; lost += 1) {
    await lose(order.processor);
    await order.processor.recoverJobs();
  }
  expect([lost, ...(await endOf(order))]).toEqual([6, 'error', expect.stringContaining('lost its lease')]);
  expect(calls).toEqual(['charge']);
});

test('a job whose last attempt fails before it comes to its steps is undone', async () => {
  let isDown = true;
  const { calls, ...order } = await charged(() => {
    if (isDown) {
      isDown = false;
      throw new Error('the service is down');
    }
  });
  expect(await endOf(order)).toEqual(['error', 'the service is down']);
  expect(calls).toEqual(['charge', 'refund']);
});

test('a job that a person takes and fails is undone', async () => {
  const { calls, ...order } = await charged(() => {});
  const pulled = (await order.processor.pullNextJob()) ?? expect.fail();

  expect(await order.processor.failJob(pulled, new RemoteException('by hand'))).toBe('queued');
  expect(await endOf(order)).toEqual(['error', 'by hand']);
  expect(calls).toEqual(['charge', 'refund']);
});

test('a job that never comes to its steps again ends with its failure, and goes on with them when it is retried', async () => {
  let isBroken = true;
  const { calls, ...order } = await charged(() => {
    if (isBroken) throw new RemoteException('the input is broken');
  });
  expect(await endOf(order)).toEqual(['error', 'the input is broken']);
  isBroken = false;
  await order.processor.retryJob(order.id);
  expect((await endOf(order))[0]).toBe('completed');
  expect(calls).toEqual(['charge', 'deliver']);
});

test('a job that never fits into the time of its worker is undone', async () => {
  let isSlow = true;
  const { calls, ...order } = await charged(async ({ signal }) => {
    if (!isSlow) return;
    isSlow = false;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw signal.reason;
  });
  await jobs().updateOne({ _id: order.id }, { $set: { unfinishedCounter: MAX_UNFINISHED - 1 } });
  // On a busy machine the time is over before the job is claimed.
  while (isSlow) await order.processor.drain({ deadline: new Date(Date.now() + 500), margin: 0 });

  expect(await endOf(order)).toEqual(['error', expect.stringContaining('it does not fit')]);
  expect(calls).toEqual(['charge', 'refund']);
});

test('a job that is lost in its last attempt after it stored a step is not said to have ended', async () => {
  const { calls, ...order } = await charged(() => {});
  await lose(order.processor);
  await jobs().updateOne({ _id: order.id }, { $set: { 'lease.stepped': true } });
  const settled: string[] = [];
  order.processor.on('jobSettled', ({ status }) => void settled.push(status));
  await order.processor.recoverJobs();

  expect(settled).toEqual([]);
  expect((await endOf(order))[0]).toBe('completed');
  expect(calls).toEqual(['charge', 'deliver']);
});
