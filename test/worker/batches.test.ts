import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type BatchContext, defineJob, implement, RemoteException, Snooze } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, Gate } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

type Call = BatchContext<number, number>;

/** Returns a batched kind that keeps its calls. */
function batched(
  runBatch: (call: Call) => Promise<readonly number[] | undefined> | readonly number[] | undefined,
  options: { size?: number; wait?: string; maxRetries?: number; timeout?: number } = {},
) {
  const { size = 100, wait = 0, ...rest } = options;
  const calls: Call[] = [];
  const job = defineJob({
    name: 'load',
    input: z.number(),
    output: z.number().optional(),
    batch: { size, wait },
    retryDelay: 0,
    ...rest,
    runBatch: (call) => {
      calls.push(call);
      return runBatch(call);
    },
  });
  return { job, calls, sizes: () => calls.map(({ jobs }) => jobs.length) };
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const doubled = ({ jobs }: Call) => jobs.map(({ input }) => 2 * input);

async function setUp(job: ReturnType<typeof batched>['job'], count: number, options = {}) {
  const processor = database.processor({ maxThreads: 4, ...options });
  await processor.addJobFactories([job, echo]);
  const ids = await processor.addJobs(numbers(count).map((input) => ({ job, input })));
  return { processor, ids };
}

test('250 jobs, 100 at a time, are three calls, and a few commands each', async () => {
  const { job, sizes } = batched(doubled);
  const { processor, ids } = await setUp(job, 250);
  const commands = await database.commandsForJobs(() => processor.drain());
  expect(sizes().toSorted()).toEqual([100, 100, 50]);
  const outputs = await Promise.all(ids.map((id) => processor.getJobResult(id, job)));
  expect(outputs).toEqual(numbers(250).map((n) => 2 * n));
  // Per batch: two to claim the first, three for those alike, one to settle. Beside them recovery and statistics.
  expect(commands.length).toBeLessThanOrEqual(3 * 7 + 4);
});

test('jobs of a batch end by themselves, each by its own rules, and the others with the call', async () => {
  const { job, calls } = batched(({ jobs }) => {
    for (const each of jobs) {
      if (each.attempt > 1) each.complete(1000 + each.input);
      else if (each.input === 1) each.fail(new Error('again'));
      else if (each.input === 2) each.fail(new RemoteException('never'));
      else if (each.input === 3) each.fail(new Snooze('1h'));
      else if (each.input === 4) each.complete(4);
      else each.fail(new Error('again'));
    }
    return undefined;
  });
  const { processor, ids } = await setUp(job, 5);
  const summary = await processor.drain();
  expect(calls).toHaveLength(2);
  expect(summary).toMatchObject({ completed: 3, errors: 1, retried: 2, snoozed: 1 });
  const [zero = '', one = '', two = '', three = '', four = ''] = ids;
  expect(await processor.getJob(zero)).toMatchObject({ status: 'completed', retryCounter: 2, output: 1000 });
  expect(await processor.getJob(one)).toMatchObject({ errors: [{ message: 'again' }], output: 1001 });
  expect(await processor.getJob(two)).toMatchObject({ status: 'error', errors: [{ message: 'never' }] });
  expect(await processor.getJob(three)).toMatchObject({ status: 'queued', retryCounter: 0 });
  expect(await processor.getJob(four)).toMatchObject({ status: 'completed', output: 4, retryCounter: 1 });
});

test('as long as the function runs, so does the last of its jobs, whatever it was told', async () => {
  const gate = new Gate();
  const { job } = batched(async ({ jobs, signal }) => {
    for (const each of jobs) each.complete(each.input);
    await gate.pass(signal);
    return undefined;
  });
  const { processor, ids } = await setUp(job, 3);
  const draining = processor.drain();
  const { jobs } = database.collections();
  await eventually(async () => expect(await jobs.countDocuments({ status: 'completed' })).toBe(2));
  expect(await processor.getJobStatus(ids[2] ?? '')).toBe('processing');
  gate.open();
  expect(await draining).toMatchObject({ completed: 3 });
});

test('workers that fill batches at the same time run each job once', async () => {
  const { job, calls } = batched(doubled, { size: 20 });
  const { processor } = await setUp(job, 200);
  const others = await Promise.all([1, 2].map(() => setUp(job, 0)));
  const workers = [processor, ...others.map((other) => other.processor)];
  const summaries = await Promise.all(workers.map((worker) => worker.drain()));
  expect(summaries.reduce((sum, { completed }) => sum + completed, 0)).toBe(200);
  expect(new Set(calls.flatMap(({ jobs }) => jobs.map(({ jobId }) => jobId))).size).toBe(200);
});

test('throwing fails each job of the batch, with its own retries', async () => {
  const { job, sizes } = batched(() => Promise.reject(new Error('The warehouse is closed.')));
  const { processor, ids } = await setUp(job, 3);
  const once = await processor.addJob(job, 3, { maxRetries: 1 });
  await processor.updateJob(ids[0] ?? '', { maxRetries: 2 });
  await processor.updateJob(ids[1] ?? '', { maxRetries: 2 });
  await processor.updateJob(ids[2] ?? '', { maxRetries: 2 });
  expect(await processor.drain()).toMatchObject({ retried: 3, errors: 4 });
  expect(sizes()).toEqual([4, 3]);
  expect(await processor.getJob(once)).toMatchObject({
    status: 'error',
    errors: [{ message: 'The warehouse is closed.', attempt: 1 }],
  });
});

test('outputs of which it is unclear whose they are end the jobs in error', async () => {
  const { job } = batched(() => [1]);
  const { processor, ids } = await setUp(job, 2);
  await processor.drain();
  for (const id of ids)
    expect(await processor.getJobErrors(id)).toEqual([expect.stringMatching(/1 outputs.*2 outputs/)]);
});

test('an input or an output that is refused fails its job alone', async () => {
  const { job, sizes } = batched(({ jobs }) => {
    for (const each of jobs) Reflect.apply(each.complete, undefined, [each.input === 1 ? 'one' : each.input]);
    return undefined;
  });
  const { processor, ids } = await setUp(job, 4);
  await database.collections().jobs.updateOne({ _id: ids[0] ?? '' }, { $set: { input: 'zero' } });
  expect(await processor.drain()).toMatchObject({ completed: 2, errors: 2 });
  expect(sizes()).toEqual([3]);
});

test('a job is cancelled alone, and the signal of the batch fires when all are to stop', async () => {
  const gate = new Gate();
  const { job, calls } = batched(async ({ signal }) => {
    await gate.pass(signal);
    return undefined;
  });
  const { processor, ids } = await setUp(job, 3, { lease: '1s' });
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(1));
  const [call] = calls;
  await processor.cancelJob(ids[1] ?? '');
  await eventually(() => expect(call?.jobs.filter(({ signal }) => signal.aborted)).toHaveLength(1));
  expect(call?.signal.aborted).toBe(false);
  await processor.cancelJob(ids[0] ?? '');
  await processor.cancelJob(ids[2] ?? '');
  await eventually(() => expect(call?.signal.aborted).toBe(true));
  expect(await draining).toMatchObject({ cancelled: 3 });
});

test('a batch is told to stop at its timeout, and each of its jobs fails', async () => {
  const { job } = batched(
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    { timeout: 50, maxRetries: 1 },
  );
  const { processor } = await setUp(job, 3);
  expect(await processor.drain()).toMatchObject({ errors: 3, abandoned: 0 });
});

test('a promise that the function left behind fails the batch, and nothing else', async () => {
  const gate = new Gate();
  const { job } = batched(
    async ({ signal }) => {
      void Promise.reject(new Error('left behind'));
      await gate.pass(signal);
      return undefined;
    },
    { maxRetries: 1 },
  );
  const { processor, ids } = await setUp(job, 2);
  await processor.addJob(echo, {});
  expect(await processor.drain()).toMatchObject({ errors: 2, completed: 1, abandoned: 2 });
  expect(await processor.getJobErrors(ids[0] ?? '')).toEqual([expect.stringContaining('left behind')]);
  gate.open();
});

test('progress, log lines, events and middleware are those of each job', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { job } = batched(async ({ jobs, log }) => {
    expect(storage.getStore()).toBeUndefined(); // The function works for all jobs, not within one.
    log('for all');
    for (const each of jobs) {
      each.log(`number ${each.input}`);
      await each.progress(each.input);
    }
    return jobs.map(({ input }) => input);
  });
  const { processor, ids } = await setUp(job, 2);
  const seen: unknown[] = [];
  processor.use({
    run: async ({ jobId, jobName }, next) => {
      seen.push([jobName, ids.indexOf(jobId), await storage.run(jobId, next)]);
    },
  });
  const ended: unknown[] = [];
  processor.on('attemptEnded', ({ jobId, outcome }) => ended.push([ids.indexOf(jobId), outcome]));
  await processor.drain();
  expect(seen).toEqual([
    ['load', 0, 0],
    ['load', 1, 1],
  ]);
  expect(ended).toEqual([
    [0, 'completed'],
    [1, 'completed'],
  ]);
  expect((await processor.jobs.log(ids[1] ?? '')).lines.map(({ message }) => message)).toEqual([
    'for all',
    'number 1',
  ]);
  expect(await processor.getJob(ids[1] ?? '')).toMatchObject({ progress: 1 });
});

test('a batch that is not full waits for more jobs, which join it', async () => {
  const { job, sizes } = batched(doubled, { size: 3, wait: '1 minute' });
  const { processor } = await setUp(job, 1);
  const draining = processor.drain();
  await eventually(async () =>
    expect(await database.collections().jobs.countDocuments({ status: 'processing' })).toBe(1),
  );
  await processor.addJob(job, 1);
  await processor.addJob(job, 2);
  expect(await draining).toMatchObject({ completed: 3 });
  expect(sizes()).toEqual([3]);
});

test('a batch runs when its wait is over', async () => {
  const { job, sizes } = batched(doubled, { wait: '20ms' });
  const { processor } = await setUp(job, 2);
  expect(await processor.drain()).toMatchObject({ completed: 2 });
  expect(sizes()).toEqual([2]);
});

test('a batch may wait for longer than a lease, which is renewed meanwhile', async () => {
  const { job } = batched(doubled, { wait: '1.2s' });
  const { processor } = await setUp(job, 2, { lease: '1s' });
  const stop = AbortSignal.timeout(20_000);
  expect(await processor.drain({ signal: stop })).toMatchObject({ completed: 2 });
});

test('a batch that waits gives its thread to a job that waits for one', async () => {
  const { job, sizes } = batched(doubled, { wait: '1 minute' });
  const { processor } = await setUp(job, 2, { maxThreads: 1 });
  const draining = processor.drain();
  await eventually(async () =>
    expect(await database.collections().jobs.countDocuments({ status: 'processing' })).toBe(2),
  );
  const id = await processor.addJob(echo, {});
  expect(await draining).toMatchObject({ completed: 3 });
  expect(sizes()).toEqual([2]);
  expect(await processor.getJobStatus(id)).toBe('completed');
});

test('a batch that waits is given back when the worker must stop, and its function is not called', async () => {
  const { job, sizes } = batched(doubled, { wait: '1 minute' });
  const { processor, ids } = await setUp(job, 2);
  const stop = new AbortController();
  const draining = processor.drain({ signal: stop.signal, linger: '1 minute' });
  await eventually(async () =>
    expect(await database.collections().jobs.countDocuments({ status: 'processing' })).toBe(2),
  );
  stop.abort();
  expect(await draining).toMatchObject({ claimed: 2, givenBack: 2 });
  expect(sizes()).toEqual([]);
  expect(await processor.getJob(ids[0] ?? '')).toMatchObject({ status: 'queued', retryCounter: 0 });
});

test('a batch that goes on after the cut-off is given back, job by job', async () => {
  const gate = new Gate();
  const { job } = batched(async () => {
    await gate.pass(new AbortController().signal);
    return undefined;
  });
  const { processor, ids } = await setUp(job, 3);
  const stop = new AbortController();
  const draining = processor.drain({ signal: stop.signal, margin: 20 });
  await eventually(() => expect(gate.arrived).toBe(1));
  stop.abort();
  expect(await draining).toMatchObject({ givenBack: 3, abandoned: 3 });
  gate.open();
  expect(await processor.getJob(ids[2] ?? '')).toMatchObject({ status: 'queued', retryCounter: 0 });
});

test('limits count each job of a batch', async () => {
  const sizes: number[] = [];
  let running = 0;
  const job = defineJob({
    name: 'load',
    input: z.number(),
    batch: { size: 10 },
    concurrency: { limit: 4 },
    runBatch: async ({ jobs }) => {
      sizes.push(jobs.length);
      running += jobs.length;
      expect(running).toBeLessThanOrEqual(4);
      await wait(1);
      running -= jobs.length;
    },
  });
  const processor = database.processor({ maxThreads: 3 });
  await processor.addJobFactory(job);
  await processor.addJobs(numbers(20).map((input) => ({ job, input })));
  expect(await processor.drain()).toMatchObject({ completed: 20, errors: 0, retried: 0 });
  expect(sizes.reduce((sum, size) => sum + size)).toBe(20);
});

test('a rate limit lets jobs of a batch start one by one', async () => {
  const job = defineJob({
    name: 'load',
    input: z.number(),
    batch: { size: 10 },
    rateLimit: { limit: 1, period: '1h', burst: 3 },
    runBatch: ({ jobs }) => {
      expect(jobs.length).toBeLessThanOrEqual(3);
    },
  });
  const processor = database.processor({ maxThreads: 3 });
  await processor.addJobFactory(job);
  await processor.addJobs(numbers(6).map((input) => ({ job, input })));
  expect(await processor.drain()).toMatchObject({ completed: 3 });
});

test('a batch passes over jobs of other kinds and queues, and does not keep them from running', async () => {
  const order: string[] = [];
  const { job, sizes } = batched(doubled, { size: 10 });
  const other = defineJob({ name: 'other', run: () => void order.push('other') });
  const { processor } = await setUp(job, 5, { maxThreads: 2 });
  await processor.addJobFactory(other);
  await processor.addJobs(numbers(5).map(() => ({ job: other })));
  await processor.addJobs(numbers(4).map((input) => ({ job, input })));
  expect(await processor.drain()).toMatchObject({ completed: 14 });
  expect(sizes()).toEqual([9]);
  expect(order).toHaveLength(5);
});

test('a batch looks at ten keys for each job that it takes, however many others wait', async () => {
  const { job, sizes } = batched(doubled, { size: 5 });
  const { processor, ids } = await setUp(job, 2, { maxThreads: 1 });
  const runAt = (await database.storedJob(ids[1] ?? ''))?.runAt;
  const others = numbers(200).map((n) => ({ ...waiting, runAt, _id: `other ${n}` }));
  await database.db.collection<{ _id: string }>(collectionNames.jobs).insertMany(others);
  await processor.addJob(job, 3);
  const commands = await database.commandsForJobs(() => processor.drain());
  expect(sizes()).toEqual([2, 1]);
  const [look] = commands.filter(({ command }) => JSON.stringify(command.pipeline)?.includes('"load"'));
  const { aggregate, pipeline, cursor, hint } = look?.command ?? {};
  const explain = { aggregate, pipeline, cursor, hint };
  const plan = JSON.stringify(await database.db.command({ explain, verbosity: 'executionStats' }));
  expect(Number(/"totalKeysExamined":(\d+)/.exec(plan)?.[1])).toBeLessThanOrEqual(10 * 4 + 1);
});

/** A job of a kind without code here. */
const waiting = {
  jobName: 'unknown',
  queue: 'default',
  priority: 0,
  status: 'queued',
  claimable: true,
  retryCounter: 0,
};

test('jobs that were lost in company run alone', async () => {
  const { job, sizes } = batched(doubled);
  const { processor, ids } = await setUp(job, 3);
  const { jobs } = database.collections();
  await jobs.updateMany({ _id: { $in: ids } }, { $set: { runAlone: true }, $unset: { claimable: '' } });
  expect(await processor.drain()).toMatchObject({ completed: 3 });
  expect(sizes()).toEqual([1, 1, 1]);
});

test('processNextJob and a call run a batch of one', async () => {
  const { job, sizes } = batched(doubled, { wait: '1 minute' });
  const { processor } = await setUp(job, 2);
  expect(await processor.processNextJob()).toBe(true);
  expect(await job.call(4, processor)).toBe(8);
  expect(sizes()).toEqual([1, 1]);
});

test.each<[string, object, string]>([
  ['a size of 0', { batch: { size: 0 }, runBatch: () => {} }, 'batch.size'],
  ['a size over 1000', { batch: { size: 1001 }, runBatch: () => {} }, 'batch.size'],
  ['no size', { batch: { wait: '1s' }, runBatch: () => {} }, 'batch.size'],
  ['a negative wait', { batch: { size: 2, wait: -1 }, runBatch: () => {} }, 'batch.wait'],
  ['a wait that stands beside the batch', { batch: { size: 2 }, wait: '1s', runBatch: () => {} }, 'wait'],
  ['run and runBatch', { batch: { size: 2 }, run: () => {}, runBatch: () => {} }, 'run'],
  ['a batch in a subprocess', { batch: { size: 2 }, module: new URL('file:///a.js') }, 'runBatch'],
  ['a batch with run', { batch: { size: 2 }, run: () => {} }, 'runBatch'],
  ['a batch without code', { batch: { size: 2 } }, 'runBatch'],
  ['runBatch without a batch', { runBatch: () => {} }, 'batch'],
])('defineJob refuses %s', (_, definition, path) => {
  const define = () => defineJob({ name: 'load', ...definition });
  expect(define).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path })] }));
});

test('a contract is implemented by runBatch', async () => {
  const contract = defineJob({ name: 'load', input: z.number(), output: z.number() });
  const job = implement(contract, {
    batch: { size: 10 },
    runBatch: ({ jobs }) => jobs.map(({ input }) => input + 1),
  });
  const processor = database.processor();
  await processor.addJobFactory(job);
  const ids = await processor.addJobs(numbers(3).map((input) => ({ job: contract, input })));
  await processor.drain();
  expect(await processor.getJobResult(ids[2] ?? '', job)).toBe(3);
});
