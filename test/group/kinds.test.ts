import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobContext, type JobFactory, RemoteException } from '../../src/index.js';
import { closeSubprocessPool } from '../../src/subprocess/run-in-subprocess.js';
import { useDatabase } from '../database.js';
import { endWaits } from '../step/over.js';

const database = useDatabase();

afterAll(closeSubprocessPool);

const input = z.object({ key: z.string(), n: z.number() });
const inputOfParent = z.object({ key: z.string(), count: z.number() });

/** Adds children of a kind, waits for them, and returns their outputs, or how they ended otherwise. */
async function runChildren(
  child: { readonly name: string },
  { input: { key, count }, step }: Pick<JobContext<z.output<typeof inputOfParent>>, 'input' | 'step'>,
): Promise<unknown[]> {
  const inputs = Array.from({ length: count }, (_, n) => ({ key, n }));
  const results = await step.fanOut('all', child.name, inputs, { onError: 'collect' });
  const ended: unknown[] = [];
  for await (const result of results)
    ended.push(result.status === 'completed' ? result.output : result.status);
  return ended;
}

async function started(child: JobFactory, count = 3) {
  const parent = defineJob({
    name: 'parent',
    input: inputOfParent,
    maxRetries: 1,
    run: (context) => runChildren(child, context),
  });
  const processor = database.processor({ maxThreads: 10 });
  await processor.addJobFactories([parent, child]);
  await processor.addJob(parent, { key: 'x', count }, { id: 'parent' });
  return { processor, result: () => processor.getJobResult('parent') };
}

test('a parent waits while a circuit breaker holds up its children', async () => {
  const service = { isDown: true };
  const child = defineJob({
    name: 'child',
    input,
    maxRetries: 100,
    retryDelay: 0,
    circuitBreaker: { failures: 3, within: '1h', pause: '1h' },
    run: ({ input }) => {
      if (service.isDown) throw new Error('The service is down.');
      return input.n;
    },
  });
  const { processor, result } = await started(child);
  await processor.drain();
  expect((await processor.limits.get('breaker child')).breaker?.state).toBe('open');
  expect(await processor.getJobStatus('parent')).toBe('queued');
  service.isDown = false;
  await processor.limits.resume('breaker child');
  await processor.drain();
  expect(await result()).toEqual([0, 1, 2]);
});

test('children run in subprocesses', async () => {
  const module = new URL('../subprocess/modules/behaviour.subprocess.js', import.meta.url);
  const child = defineJob({ name: 'child', input: z.unknown(), module });
  const parent = defineJob({
    name: 'parent',
    run: async ({ step }) => {
      const inputs = [{ do: 'return', value: 1 }, { do: 'refuse' }];
      const results = await step.fanOut('all', child, inputs, { onError: 'collect' });
      const ended: unknown[] = [];
      for await (const { status } of results) ended.push(status);
      return ended;
    },
  });
  const processor = database.processor();
  await processor.addJobFactories([parent, child]);
  const id = await processor.addJob(parent);
  await processor.drain();
  expect(await processor.getJobResult(id)).toEqual(['completed', 'error']);
});

test('children of a batched kind run together, and each has its own ending', async () => {
  const sizes: number[] = [];
  const child = defineJob({
    name: 'child',
    input,
    output: z.number(),
    batch: { size: 3 },
    runBatch: ({ jobs }) => {
      sizes.push(jobs.length);
      for (const job of jobs)
        if (job.input.n === 1) job.fail(new RemoteException('No.'));
        else job.complete(job.input.n * 10);
    },
  });
  const { processor, result } = await started(child, 5);
  await processor.drain();
  expect(await result()).toEqual([0, 'error', 20, 30, 40]);
  expect(sizes.length).toBeLessThan(5);
});

describe('children of a kind with', () => {
  const isolated = { running: 0, most: 0, begun: [] as number[] };

  async function run({ input: { n } }: { readonly input: z.output<typeof input> }): Promise<number> {
    isolated.running += 1;
    isolated.most = Math.max(isolated.most, isolated.running);
    isolated.begun.push(n);
    await wait(2);
    isolated.running -= 1;
    return n;
  }

  function reset(): void {
    Object.assign(isolated, { running: 0, most: 0, begun: [] });
  }

  test('a limit run one after the other', async () => {
    reset();
    const child = defineJob({ name: 'child', input, concurrency: { key: 'key', limit: 1 }, run });
    const { processor, result } = await started(child, 5);
    await processor.drain();
    expect(await result()).toEqual([0, 1, 2, 3, 4]);
    expect(isolated.most).toBe(1);
  });

  test('fair turns and a rate all run', async () => {
    reset();
    const rateLimit = { limit: 1000, period: '1s', burst: 10 };
    const child = defineJob({ name: 'child', input, fairness: { key: 'key' }, rateLimit, run });
    const { processor, result } = await started(child, 5);
    await processor.drain();
    expect(await result()).toEqual([0, 1, 2, 3, 4]);
  });

  test('a strict order run in the order of their inputs', async () => {
    reset();
    const child = defineJob({ name: 'child', input, ordering: { key: 'key' }, run });
    const { processor, result } = await started(child, 5);
    await processor.drain();
    expect(await result()).toEqual([0, 1, 2, 3, 4]);
    expect(isolated).toMatchObject({ most: 1, begun: [0, 1, 2, 3, 4] });
  });

  test('a unique key are all added, and run beside others with that key', async () => {
    reset();
    const unique = { key: 'key', whileRunning: 'queueOne' } as const;
    const child = defineJob({ name: 'child', input, unique, run });
    const { processor, result } = await started(child, 2);
    await processor.addJob(child, { key: 'x', n: 7 });
    await processor.drain();
    expect(await result()).toEqual([0, 1]);
  });
});

test('a child that stops a strict order holds up the others and their parent until it is skipped', async () => {
  const child = defineJob({
    name: 'child',
    input,
    ordering: { key: 'key' },
    run: ({ input }) => {
      if (input.n === 1) throw new RemoteException('No.');
      return input.n;
    },
  });
  const { processor, result } = await started(child);
  await processor.drain();
  expect(await processor.getJobStatus('parent')).toBe('queued');
  await processor.limits.skip('order child=x');
  await processor.drain();
  expect(await result()).toEqual([0, 'error', 2]);
});

test('a parent waits for its children in a paused queue, and cancels them when it takes too long', async () => {
  const child = defineJob({ name: 'child', input, queue: 'paused', run: ({ input }) => input.n });
  const timed = defineJob({
    name: 'timed',
    maxRetries: 1,
    run: ({ step }) => step.invoke('one', child, { key: 'x', n: 1 }, { timeout: '1h' }),
  });
  const { processor, result } = await started(child);
  await processor.addJobFactory(timed);
  await processor.queues.pause('paused');
  await processor.addJob(timed, undefined, { id: 'timed' });
  await processor.drain();
  expect(await processor.getJobStatus('parent')).toBe('queued');
  await endWaits(database.db, 'timed');
  await processor.drain();
  expect(await processor.getJobStatus('timed')).toBe('error');
  expect((await processor.jobs.children('timed')).jobs).toMatchObject([{ status: 'cancelled' }]);
  await processor.queues.resume('paused');
  await processor.drain();
  expect(await result()).toEqual([0, 1, 2]);
});

describe('a parent that waits', () => {
  const limits = { concurrency: [{ name: 'both', key: 'key', limit: 1 }] };
  const child = defineJob({ name: 'child', input, ...limits, run: ({ input }) => input.n });

  test('gives its place in a limit to its children', async () => {
    const parent = defineJob({
      name: 'limited',
      input: inputOfParent,
      ...limits,
      maxRetries: 1,
      run: (context) => runChildren(child, context),
    });
    const processor = database.processor({ maxThreads: 10 });
    await processor.addJobFactories([parent, child]);
    const id = await processor.addJob(parent, { key: 'x', count: 3 });
    await processor.drain();
    expect(await processor.getJobResult(id)).toEqual([0, 1, 2]);
  });

  /** Adds a job in a strict order whose child, or the child of that, is in this one. */
  async function inOrder(key: string, isDeep: boolean) {
    const ordering = { name: 'events', key: 'key' };
    const ordered = defineJob({ name: 'ordered', input, ordering, run: ({ input }) => input.n });
    const between = defineJob({
      name: 'between',
      input: z.string(),
      maxRetries: 1,
      run: async ({ input, step }) => step.invoke('one', ordered, { key: input, n: 1 }),
    });
    const top = defineJob({
      name: 'top',
      input,
      ordering,
      maxRetries: 1,
      run: async ({ step }) =>
        isDeep ? step.invoke('one', between, key) : step.invoke('one', ordered, { key, n: 1 }),
    });
    const processor = database.processor();
    await processor.addJobFactories([ordered, between, top]);
    const id = await processor.addJob(top, { key: 'x', n: 0 });
    await processor.drain();
    const { jobs } = await processor.jobs.children(id);
    return { top: await processor.getJob(id), children: jobs.map(({ jobName }) => jobName) };
  }

  test('keeps its place in a strict order, so a child in the same order is refused', async () => {
    const { top, children } = await inOrder('x', false);
    expect(top?.status).toBe('error');
    expect(top?.errors[0]?.message).toContain(
      `0: expected another strict order than 'order events=x': job '${top?.id}' has its place in it until this child has ended`,
    );
    expect(children).toEqual([]);
  });

  test('keeps its place in a strict order, so a child of its child in the same order is refused', async () => {
    const { top, children } = await inOrder('x', true);
    expect(top?.errors[0]?.message).toContain(`job '${top?.id}' has its place in it`);
    expect(children).toEqual(['between']);
  });

  test('lets its children run in another strict order', async () => {
    expect((await inOrder('y', false)).top?.output).toBe(1);
    expect((await inOrder('y', true)).top?.output).toBe(1);
  });
});
