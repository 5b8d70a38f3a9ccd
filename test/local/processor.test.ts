import { expect, test } from 'vitest';
import type { LocalProcessorOptions } from '../../local/processor.js';
import { UnknownJobNameError, ValidationError } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, gatedJob } from '../jobs.js';

const database = useDatabase();

test('the loops start and stop, and tell so', async () => {
  const processor = database.processor({ name: 'root' });
  expect([processor.isProcessing, processor.isScheduling, processor.loops()]).toEqual([false, false, []]);
  processor.startProcessor();
  processor.startProcessor();
  processor.startScheduler();
  expect([processor.isProcessing, processor.isScheduling]).toEqual([true, true]);
  expect(processor.loops()).toEqual(['root-scheduler', 'root-worker']);
  await processor.stopScheduler();
  expect(processor.loops()).toEqual(['root-worker']);
  await processor.stopProcessor();
  await processor.stopProcessor();
  expect([processor.isProcessing, processor.isScheduling, processor.loops()]).toEqual([false, false, []]);
});

test('it can be started again while it stops, and every stop waits for the end', async () => {
  const processor = database.processor();
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  processor.startProcessor();
  const id = await processor.addJob('gated');
  await eventually(() => expect(gate.arrived).toBe(1));
  const stops = [processor.stopProcessor(), processor.stopProcessor()];
  expect([processor.isProcessing, processor.loops()]).toEqual([false, ['root-worker']]);
  processor.startProcessor();
  expect(processor.loops()).toEqual(['root-worker', 'root-worker']);
  await stops[1];
  expect([processor.isProcessing, processor.loops()]).toEqual([true, ['root-worker']]);
  gate.open();
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('completed'));
});

test('a job that is added while the loop waits is run at once', async () => {
  const processor = database.processor({ pollInterval: '1h' });
  await processor.addJobFactory(echo);
  processor.startProcessor();
  const first = await processor.addJob('echo', { n: 1 });
  await eventually(async () => expect(await processor.getJobStatus(first)).toBe('completed'));
  const second = await processor.addJob(echo, { n: 2 });
  await eventually(async () => expect(await processor.getJobStatus(second)).toBe('completed'));
});

test('what a due item makes is run at once', async () => {
  const processor = database.processor({ pollInterval: '1h', scheduleInterval: 10 });
  await processor.addJobFactory(echo);
  await processor.addScheduler({
    type: 'Delay',
    jobName: 'echo',
    delay: '1s',
    input: { a: 1 },
    active: true,
  });
  processor.startProcessor();
  processor.startScheduler();
  await eventually(async () => expect(await processor.getJobs({ status: 'completed' })).not.toEqual([]));
});

test('stopping gives back what runs', async () => {
  const processor = database.processor();
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  processor.startProcessor();
  const id = await processor.addJob('gated');
  await eventually(() => expect(gate.arrived).toBe(1));
  await processor.stopProcessor();
  expect(await processor.getJob(id)).toMatchObject({
    status: 'queued',
    retryCounter: 0,
    givenBackCounter: 1,
  });
});

test('a loop is not stuck while a job runs, however long', async () => {
  const processor = database.processor({ pollInterval: 20, maxThreads: 1 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  processor.startProcessor();
  await processor.addJob('gated');
  await eventually(() => expect(gate.arrived).toBe(1));
  const began = performance.now();
  await eventually(() => expect(performance.now() - began).toBeGreaterThan(500));
  await eventually(() => expect(processor.stuckLoops(500)).toEqual([]));
  expect(processor.stuckLoops(0)).toEqual(['root-worker']); // Every loop is silent for 0 ms.
  gate.open();
});

test.each<[Partial<LocalProcessorOptions>]>([
  [{ maxThreads: 0 }],
  [{ maxThreads: 1.5 }],
  [{ name: '' }],
  [{ queues: [] }],
  [{ lease: '10ms' }],
  [{ pollInterval: 'often' }],
  // @ts-expect-error the types refuse it already
  [{ db: {} }],
  // @ts-expect-error the types refuse it already
  [{ log: 'loud' }],
  // @ts-expect-error the types refuse it already
  [{ formatJobError: 'short' }],
  // @ts-expect-error the types refuse it already
  [{ jobQuery: 'all' }],
])('options %j are refused', (options) => {
  expect(() => database.processor(options)).toThrow(ValidationError);
});

test.each([null, undefined])('to add %s is refused as by any processor', async (job) => {
  // @ts-expect-error: as a caller without types may do
  await expect(database.processor().addJob(job)).rejects.toThrow(UnknownJobNameError);
});

test('an option that nobody knows is refused', () => {
  // @ts-expect-error the types refuse it already
  expect(() => database.processor({ threads: 4 })).toThrow('Unrecognized key: "threads"');
});
