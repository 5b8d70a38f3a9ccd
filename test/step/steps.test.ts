import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  defineJob,
  type JobContext,
  RemoteException,
  type RemoteProcessor,
  StepFailedError,
} from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

type Work = (context: JobContext<unknown>) => unknown;

/** Adds a job that does this, and returns what drains it. */
async function added(run: Work, options: { maxRetries?: number; timeout?: number; version?: number } = {}) {
  const processor = database.processor();
  const job = defineJob({ name: 'order', input: z.unknown(), retryDelay: 0, ...options, run });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job, { n: 1 });
  return { processor, id, job };
}

async function lastError({ processor, id }: { readonly processor: RemoteProcessor; readonly id: string }) {
  return (await processor.getJob(id))?.errors.at(-1)?.message;
}

const jobsIn = () => database.db.collection<{ _id: string }>(collectionNames.jobs);

/** Lets what a job waits for be over. */
async function skipWaits(id: string): Promise<void> {
  const past = new Date(0);
  await jobsIn().updateOne({ _id: id }, [
    {
      $set: {
        runAt: past,
        'steps.waits': {
          $map: {
            input: '$steps.waits',
            as: 'wait',
            in: { $mergeObjects: ['$$wait', { $cond: ['$$wait.until', { until: past }, {}] }] },
          },
        },
      },
    },
  ]);
}

test('a step that has ended does not run again in the next attempt', async () => {
  const calls: string[] = [];
  const { processor, id } = await added(async ({ step, attempt }) => {
    const one = await step.run('one', () => calls.push('one'));
    const two = await step.run('two', () => calls.push('two'));
    if (attempt === 1) throw new Error('first attempt');
    return { one, two };
  });
  expect(await processor.drain()).toMatchObject({ completed: 1, retried: 1 });
  expect(calls).toEqual(['one', 'two']);
  expect(await processor.getJobResult(id)).toEqual({ one: 1, two: 2 });
  expect((await processor.jobs.steps(id)).steps).toMatchObject([
    { name: 'one', kind: 'run', state: 'completed', result: 1 },
    { name: 'two', kind: 'run', state: 'completed', result: 2 },
  ]);
});

test('a step that fails is tried again by itself, and the job keeps its attempts', async () => {
  let calls = 0;
  const keys = new Set<string>();
  const { processor, id } = await added(
    ({ step }) =>
      step.run('charge', { retry: { attempts: 3, delay: 1 } }, ({ idempotencyKey, attempt }) => {
        keys.add(idempotencyKey);
        calls += 1;
        if (attempt < 3) throw new Error('not yet');
        return attempt;
      }),
    { maxRetries: 1 },
  );
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect(calls).toBe(3);
  expect(keys.size).toBe(1);
  expect(await processor.getJobResult(id)).toBe(3);
});

test('a step whose tries are used up fails the job at once, unless the job catches it', async () => {
  const always = () => {
    throw new Error('no funds');
  };
  const uncaught = await added(({ step }) =>
    step.run('charge', { retry: { attempts: 2, delay: 0 } }, always),
  );
  expect(await uncaught.processor.drain()).toMatchObject({ errors: 1, retried: 0 });
  expect(await lastError(uncaught)).toBe("Step 'charge' failed: no funds");

  const caught = await added(async ({ step }) => {
    try {
      return await step.run('charge', { retry: { attempts: 1 } }, always);
    } catch (error) {
      if (error instanceof StepFailedError) return error.step;
      throw error;
    }
  });
  await caught.processor.drain();
  expect(await caught.processor.getJobResult(caught.id)).toBe('charge');
});

test('a long sleep frees the thread, and the job goes on after it', async () => {
  const calls: string[] = [];
  const { processor, id } = await added(async ({ step }) => {
    await step.run('before', () => void calls.push('before'));
    await step.sleep('cool down', '2 days');
    await step.run('after', () => void calls.push('after'));
    return 'done';
  });
  expect(await processor.drain()).toMatchObject({ claimed: 1, suspended: 1 });
  expect(await processor.getJob(id)).toMatchObject({ status: 'queued', retryCounter: 0 });
  expect((await processor.jobs.steps(id)).waits).toMatchObject([{ name: 'cool down', kind: 'sleep' }]);
  expect(await processor.drain()).toMatchObject({ claimed: 0 });
  await skipWaits(id);
  expect(await processor.drain()).toMatchObject({ claimed: 1, completed: 1 });
  expect(calls).toEqual(['before', 'after']);
  expect(await processor.getJobResult(id)).toBe('done');
});

test('a signal is taken early, late, and once', async () => {
  const { processor, id } = await added(async ({ step }) => {
    const first = await step.waitForSignal('paid');
    const second = await step.waitForSignal('paid again', { signal: 'paid' });
    return [first, second];
  });
  expect(await processor.signal(id, 'paid', 1, { signalId: 'a' })).toEqual({ outcome: 'delivered' });
  expect(await processor.signal(id, 'paid', 1, { signalId: 'a' })).toEqual({ outcome: 'duplicate' });
  expect(await processor.drain()).toMatchObject({ suspended: 1 });
  expect(await processor.signal(id, 'paid', 1, { signalId: 'a' })).toEqual({ outcome: 'duplicate' });
  expect(await processor.drain()).toMatchObject({ claimed: 0 });
  await processor.signal(id, 'paid', 2, { signalId: 'b' });
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect(await processor.getJobResult(id)).toEqual([1, 2]);
  await expect(processor.signal(id, 'paid')).rejects.toThrow("its status is 'completed'");
});

test('a wait ends after its timeout', async () => {
  const { processor, id } = await added(async ({ step }) => {
    const answer = await step.waitForSignal('paid', { timeout: '3 days' });
    return answer ?? 'never paid';
  });
  await processor.drain();
  await skipWaits(id);
  await processor.drain();
  expect(await processor.getJobResult(id)).toBe('never paid');
});

test('an iteration goes on at its cursor', async () => {
  const seen: number[] = [];
  const { processor, id } = await added(async ({ step, attempt }) => {
    const total = await step.iterate('rows', { start: 0 }, (at: number) => {
      seen.push(at);
      if (attempt === 1 && at === 3) throw new Error('crash');
      return at < 5 ? { next: at + 1 } : { done: at };
    });
    return total;
  });
  expect(await processor.drain()).toMatchObject({ completed: 1, retried: 1 });
  expect(seen).toEqual([0, 1, 2, 3, 3, 4, 5]);
  expect(await processor.getJobResult(id)).toBe(5);
});

test('an iteration with a cursor that cannot be stored fails, and goes on at the last one when it is retried', async () => {
  const seen: unknown[] = [];
  let isBroken = true;
  const { processor, id } = await added(({ step }) =>
    step.iterate<unknown, string>('rows', { start: 0 }, (at) => {
      seen.push(at);
      if (at !== 1) return { next: 1 };
      return isBroken ? { next: () => 'no value' } : { done: 'done' };
    }),
  );
  expect(await processor.drain()).toMatchObject({ errors: 1, retried: 0 });
  expect(await lastError({ processor, id })).toMatch(/^Step 'rows' failed: Cursor of step 'rows'.*function/s);
  isBroken = false;
  await processor.retryJob(id);
  await processor.drain();
  expect(seen).toEqual([0, 1, 1]);
  expect(await processor.getJobResult(id)).toBe('done');
});

test('a transaction stores its writes and its end together', async () => {
  const stock = database.db.collection<{ _id: string; left: number }>('stock');
  await stock.insertOne({ _id: 'a', left: 5 });
  const { processor, id } = await added(async ({ step, attempt }) => {
    const { left } = await step.transaction('reserve', async (session) => {
      const after = await stock.findOneAndUpdate(
        { _id: 'a' },
        { $inc: { left: -1 } },
        { session, returnDocument: 'after' },
      );
      return { left: after?.left };
    });
    if (attempt === 1) throw new Error('afterwards');
    return left;
  });
  expect(await processor.drain()).toMatchObject({ completed: 1, retried: 1 });
  expect(await stock.findOne({ _id: 'a' })).toMatchObject({ left: 4 });
  expect(await processor.getJobResult(id)).toBe(4);
});

test('steps are undone in reverse order once the job has failed for good', async () => {
  const calls: string[] = [];
  const { processor, id } = await added(async ({ step }) => {
    await step.run('charge', { compensate: (value) => void calls.push(`refund ${value}`) }, () => 7);
    await step.run('reserve', { compensate: (value) => void calls.push(`free ${value}`) }, () => 8);
    throw new RemoteException('sold out');
  });
  expect(await processor.drain()).toMatchObject({ suspended: 1, errors: 1 });
  expect(calls).toEqual(['free 8', 'refund 7']);
  expect(await processor.getJob(id)).toMatchObject({ status: 'error' });
  expect(await lastError({ processor, id })).toBe('sold out');
});

test('continueAs begins another run with another input', async () => {
  const inputs: unknown[] = [];
  const { processor, id } = await added(async ({ step, input }) => {
    const { n } = z.object({ n: z.number() }).parse(input);
    await step.run('work', () => void inputs.push(n));
    if (n < 3) return step.continueAs({ n: n + 1 });
    return n;
  });
  await processor.drain();
  expect(inputs).toEqual([1, 2, 3]);
  expect(await processor.getJobResult(id)).toBe(3);
  expect(await processor.jobs.steps(id)).toMatchObject({ run: 3, steps: [{ name: 'work' }] });
});

test('the next run has none of the waits of the last', async () => {
  const { processor, id } = await added(async ({ step, input }) => {
    await step.sleep('month', '30 days');
    const { n } = z.object({ n: z.number() }).parse(input);
    return n < 3 ? step.continueAs({ n: n + 1 }) : n;
  });
  await processor.drain();
  await skipWaits(id);
  expect(await processor.drain()).toMatchObject({ claimed: 2, suspended: 2 });
  const { run, waits } = await processor.jobs.steps(id);
  expect({ run, waits }).toMatchObject({ run: 2, waits: [{ name: 'month', kind: 'sleep' }] });
});
