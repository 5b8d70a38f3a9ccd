import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, RemoteException, Snooze } from '../../src/index.js';
import { breakerKeyOf } from '../../src/job/breaker-rules.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { holdBack } from '../hold-back.js';
import { echo, Gate } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

/** A service that a kind of jobs needs. */
class Service {
  isDown = true;
  calls = 0;
  gate: Gate | undefined;
  readonly job = defineJob({
    name: 'call',
    input: z.number(),
    retryDelay: 0,
    maxRetries: 100,
    circuitBreaker: { failures: 3, within: '1h', pause: '1h' },
    run: async ({ input, signal }) => {
      this.calls += 1;
      await this.gate?.pass(signal);
      if (this.isDown) throw new Error('The service is down.');
      return input;
    },
  });

  async processor(options = {}) {
    const processor = database.processor({ maxThreads: 1, ...options });
    await processor.addJobFactories([this.job, echo]);
    return processor;
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const key = breakerKeyOf('call');

/** Ends the pause, or lets workers ask whether the job that is tried still runs. */
async function pass(): Promise<void> {
  await database.collections().limits.updateOne({ _id: key }, { $set: { probeAt: new Date(1) } });
}

async function stateOf(): Promise<string | undefined> {
  return (await database.processor().limits.get(key)).breaker?.state;
}

test('after enough failed attempts no job of the kind starts, in any worker, and others do', async () => {
  const service = new Service();
  const processor = await service.processor();
  const told: unknown[] = [];
  processor.on('circuitOpened', (event) => told.push(event));
  const ids = await processor.addJobs(numbers(5).map((input) => ({ job: service.job, input })));
  await processor.drain();
  expect(service.calls).toBe(3);
  expect(told).toEqual([{ jobName: 'call', pauseMs: 3_600_000 }]);
  expect(await stateOf()).toBe('open');
  const other = await service.processor();
  const id = await other.addJob(echo, {});
  const { claimed } = await other.drain();
  expect(claimed).toBe(1);
  expect(await other.getJobStatus(id)).toBe('completed');
  expect(service.calls).toBe(3);
  for (const each of ids) expect(await processor.getJob(each)).toMatchObject({ status: 'queued' });
  expect(await processor.limits.list()).toMatchObject({
    limits: [{ key, breaker: { state: 'open', failures: 0, openUntil: expect.any(Date) } }],
  });
});

test('after the pause one job is tried: if it ends well the others run', async () => {
  const service = new Service();
  const processor = await service.processor({ maxThreads: 4 });
  await processor.addJobs(numbers(20).map((input) => ({ job: service.job, input })));
  await processor.drain();
  service.calls = 0;
  service.isDown = false;
  service.gate = new Gate();
  await pass();
  const workers = await Promise.all([1, 2, 3].map(() => service.processor({ maxThreads: 4 })));
  const told: unknown[] = [];
  for (const worker of workers) worker.on('circuitClosed', (event) => told.push(event));
  const draining = workers.map((worker) => worker.drain());
  await eventually(() => expect(service.gate?.arrived).toBe(1));
  expect(await (await service.processor()).drain()).toMatchObject({ claimed: 0 });
  expect(await stateOf()).toBe('halfOpen');
  expect(service.gate.arrived).toBe(1);
  service.gate.open();
  await Promise.all(draining);
  expect(told).toEqual([{ jobName: 'call' }]);
  await (await service.processor()).drain();
  expect(service.calls).toBe(20);
  expect(await database.collections().limits.findOne({ _id: key })).toBeNull();
  expect(await database.collections().jobs.countDocuments({ status: 'completed' })).toBe(20);
});

test('if the job that is tried fails, the pause begins anew', async () => {
  const service = new Service();
  const processor = await service.processor();
  await processor.addJobs(numbers(3).map((input) => ({ job: service.job, input })));
  await processor.drain();
  for (const calls of [4, 5]) {
    await pass();
    await (await service.processor({ maxThreads: 3 })).drain();
    expect(service.calls).toBe(calls);
    expect(await stateOf()).toBe('open');
  }
});

test.each<[string, () => Error, string]>([
  ['snoozes', () => new Snooze('1h'), 'halfOpen'],
  ['ends in error by itself', () => new RemoteException('no such page'), 'halfOpen'],
])('a job that is tried and %s', async (_, error, state) => {
  const service = new Service();
  const processor = await service.processor();
  await processor.addJobs(numbers(3).map((input) => ({ job: service.job, input })));
  await processor.drain();
  await pass();
  const once = { ...service.job, run: () => Promise.reject(error()) };
  const other = database.processor({ maxThreads: 1, jobs: { call: Object.assign({}, service.job, once) } });
  await other.processNextJob();
  expect(await stateOf()).toBe(state);
});

test('a worker whose job fails notices at once that another worker has opened the breaker', async () => {
  const service = new Service();
  const [first, second] = [await service.processor(), await service.processor()];
  await first.addJobs(numbers(6).map((input) => ({ job: service.job, input })));
  const slow = await first.pullNextJob();
  for (let n = 0; n < 3; n += 1) {
    const job = await second.pullNextJob();
    if (job) await second.failJob(job, new Error('down'));
  }
  expect(await stateOf()).toBe('open');
  if (slow) await first.failJob(slow, new Error('down'));
  expect(await first.pullNextJob()).toBeUndefined();
});

test('a job that is tried and whose input is refused does not close it', async () => {
  const service = new Service();
  const processor = await service.processor();
  await processor.addJobs(numbers(3).map((input) => ({ job: service.job, input })));
  await processor.drain();
  service.isDown = false;
  await database.collections().jobs.updateMany({}, { $set: { input: 'no number' } });
  await pass();
  await (await service.processor()).processNextJob();
  expect(await database.collections().jobs.countDocuments({ status: 'error' })).toBe(1);
  expect(await stateOf()).toBe('halfOpen');
});

test('if the worker of the job that is tried dies, another job is tried once the lease is over', async () => {
  const service = new Service();
  const processor = await service.processor();
  await processor.addJobs(numbers(3).map((input) => ({ job: service.job, input })));
  await processor.drain();
  await pass();
  const lost = await (await service.processor()).pullNextJob();
  expect(lost).toMatchObject({ jobName: 'call' });
  service.isDown = false;
  await pass();
  expect(await (await service.processor()).drain()).toMatchObject({ claimed: 0 }); // It still has its lease.
  await pass();
  const { jobs } = database.collections();
  await jobs.updateOne({ _id: lost?.id ?? '' }, { $set: { 'lease.expires': new Date(1) } });
  await (await service.processor()).drain();
  expect(await jobs.countDocuments({ status: 'completed' })).toBe(3);
});

test('a job of pullNextJob is tried, and failing or completing it counts', async () => {
  const service = new Service();
  const processor = await service.processor();
  await processor.addJobs(numbers(4).map((input) => ({ job: service.job, input })));
  for (let n = 0; n < 3; n += 1) {
    const job = await processor.pullNextJob();
    if (job) await processor.failJob(job, new Error('down'));
  }
  expect(await processor.pullNextJob()).toBeUndefined();
  await pass();
  const other = await service.processor();
  const job = await other.pullNextJob();
  expect(await other.pullNextJob()).toBeUndefined();
  if (job) await other.completeJob(job, 1);
  expect(await stateOf()).toBe('closed');
  expect(await other.pullNextJob()).toBeDefined();
});

test('a job that was cancelled says nothing about the service', async () => {
  const service = new Service();
  service.gate = new Gate();
  const processor = await service.processor({ lease: '1s', maxThreads: 3 });
  const ids = await processor.addJobs(numbers(3).map((input) => ({ job: service.job, input })));
  const draining = processor.drain();
  await eventually(() => expect(service.gate?.arrived).toBe(3));
  for (const id of ids) await processor.cancelJob(id);
  expect(await draining).toMatchObject({ cancelled: 3 });
  expect(await stateOf()).toBe('closed');
  expect(await processor.limits.get(key)).toMatchObject({ breaker: { failures: 0 } });
});

test('a person closes it', async () => {
  const service = new Service();
  const processor = await service.processor();
  await processor.addJobs(numbers(3).map((input) => ({ job: service.job, input })));
  await processor.drain();
  service.isDown = false;
  expect(await processor.limits.resume(key)).toEqual({ key, max: null, paused: null });
  expect(await processor.drain()).toMatchObject({ completed: 3 });
  await expect(processor.limits.pause(key)).rejects.toMatchObject({ code: 'validation_failed' });
});

test('failures that are old, and jobs that say themselves not to be retried, do not count', async () => {
  const service = new Service();
  const processor = await service.processor();
  const hopeless = defineJob({
    name: 'call',
    circuitBreaker: { failures: 1, within: '1m', pause: '1m' },
    run: () => Promise.reject(new RemoteException('no')),
  });
  const other = database.processor({ jobs: { call: hopeless } });
  await other.addJob(hopeless);
  await other.drain();
  expect(await stateOf()).toBe('closed');
  await processor.addJob(service.job, 1);
  await processor.processNextJob();
  await processor.processNextJob();
  await database
    .collections()
    .limits.updateOne({ _id: key }, { $set: { failed: [new Date(1), new Date(2)] } });
  await processor.processNextJob();
  await processor.processNextJob();
  expect(await stateOf()).toBe('closed');
  expect(await processor.limits.get(key)).toMatchObject({ breaker: { failures: 2 } });
});

test('jobs that complete cost no command more than without a circuit breaker', async () => {
  const service = new Service();
  service.isDown = false;
  const without = defineJob({ name: 'without', input: z.number(), run: ({ input }) => input });
  const counts: number[] = [];
  for (const job of [without, service.job]) {
    const processor = database.processor({ maxThreads: 4 });
    await processor.addJobFactory(job);
    await processor.addJob(job, 0);
    await processor.drain(); // reads the breakers, for 5 s
    await processor.addJobs(numbers(20).map((input) => ({ job, input })));
    const commands = await database.commandsForJobs(() => processor.drain());
    counts.push(commands.filter(({ command }) => JSON.stringify(command).includes(key)).length);
  }
  expect(counts).toEqual([0, expect.toSatisfy((count: number) => count <= 1)]);
});

test.each<[string, object, string]>([
  ['failures', { failures: 0, within: '1m', pause: '1m' }, 'circuitBreaker.failures'],
  ['within', { failures: 1, within: 0, pause: '1m' }, 'circuitBreaker.within'],
  ['pause', { failures: 1, within: '1m' }, 'circuitBreaker.pause'],
])('defineJob refuses a circuit breaker with bad %s', (_, circuitBreaker, path) => {
  // @ts-expect-error the types refuse it already
  const define = () => defineJob({ name: 'call', circuitBreaker, run: () => 1 });
  expect(define).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path })] }));
});

test('a worker that begins with the jobs that must run alone knows of open breakers and paused queues', async () => {
  const service = new Service();
  const processor = await service.processor();
  await processor.addJobs(numbers(4).map((input) => ({ job: service.job, input })));
  await processor.drain();
  await processor.addJob(echo, {}, { queue: 'paused', id: 'paused' });
  await processor.addJob(echo, {}, { id: 'open' });
  await processor.queues.pause('paused');
  await holdBack(database.collections().jobs, { status: 'queued' });
  await (await service.processor()).drain();
  expect(service.calls).toBe(3);
  expect(await processor.getJobStatus('paused')).toBe('queued');
  expect(await processor.getJobStatus('open')).toBe('completed');
});
