import { type Collection, MongoClient } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { LocalProcessor } from '../../local/processor.js';
import { defineJob } from '../../src/index.js';
import { claimJobAlone } from '../../src/job/claim-job-alone.js';
import { claimJobs } from '../../src/job/claim-jobs.js';
import type { JobDocument } from '../../src/job/job.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { holdBack } from '../hold-back.js';
import { echo, flaky, gatedJob } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

async function setup(options = {}) {
  const processor = database.processor(options);
  await processor.addJobFactories([echo, flaky]);
  return processor;
}

describe('which job comes next', () => {
  test('higher priority first, then earlier runAt, then the smaller id', async () => {
    const processor = await setup();
    const runAt = new Date('2020-01-01T00:00:00Z');
    await processor.addJob('echo', {}, { id: 'late' });
    await processor.addJob('echo', {}, { id: 'b', runAt });
    await processor.addJob('echo', {}, { id: 'a', runAt });
    await processor.addJob('echo', {}, { id: 'urgent', priority: 9 });
    await processor.addJob('echo', {}, { id: 'not yet', priority: 9, delay: '1h' });
    const order: unknown[] = [];
    for (let job = await processor.pullNextJob(); job; job = await processor.pullNextJob())
      order.push(job.id);
    expect(order).toEqual(['urgent', 'a', 'b', 'late']);
  });

  test('a worker may be limited to queues', async () => {
    const processor = await setup({ queues: ['mail', 'pdf'] });
    await processor.addJob('echo', {}, { id: 'default' });
    await processor.addJob('echo', {}, { id: 'pdf', queue: 'pdf' });
    await processor.addJob('echo', {}, { id: 'mail', queue: 'mail', priority: 1 });
    await processor.addJob('echo', {}, { id: 'other', queue: 'other' });
    expect((await processor.pullNextJob())?.id).toBe('mail');
    expect((await processor.pullNextJob())?.id).toBe('pdf');
    expect(await processor.pullNextJob()).toBeUndefined();
  });

  test('a worker may be limited by a filter', async () => {
    const processor = await setup({ jobQuery: { 'input.tenant': { $in: ['a', 'b'] } } });
    await processor.addJob('echo', { tenant: 'c' });
    const id = await processor.addJob('echo', { tenant: 'b' });
    expect((await processor.pullNextJob())?.id).toBe(id);
    expect(await processor.pullNextJob()).toBeUndefined();
  });
});

describe('claimers that meet', () => {
  test('two clients that claim at once never both get a job', async () => {
    const processor = await setup();
    for (let n = 0; n < 60; n += 1) await processor.addJob('echo', { n });
    const other = new MongoClient(database.uri);
    const rival = new LocalProcessor({ db: other.db(database.name), log: silent });
    await rival.addJobFactory(echo);
    const pulled: string[] = [];
    const pullAll = async (claimer: LocalProcessor) => {
      for (;;) {
        const job = await claimer.pullNextJob();
        if (job) pulled.push(job.id);
        else if ((await processor.getJobs({ status: 'queued' })).length === 0) return;
      }
    };
    await Promise.all([pullAll(processor), pullAll(rival), pullAll(processor), pullAll(rival)]);
    await other.close();
    expect(pulled).toHaveLength(60);
    expect(new Set(pulled).size).toBe(60);
  });

  test('a job that went round between find and take is not taken with an outdated attempt', async () => {
    const processor = await setup();
    const id = await processor.addJob('flaky', undefined, { retryDelay: 0 });
    const jobs = afterFind(() => processor.processNextJob());
    const lease = { token: 'outdated', worker: 'slow', leaseMs: 1000 };
    // It loses the first try, finds the job again, and takes it for its second attempt.
    expect(await claimJobs(jobs, { jobNames: ['flaky'] }, lease, 2)).toMatchObject([{ id, retryCounter: 2 }]);
    expect(await processor.getJob(id)).toMatchObject({ status: 'processing', retryCounter: 2 });
  });

  test('nor is one that was suspended in between taken without the steps that it has stored', async () => {
    const processor = database.processor();
    const calls: string[] = [];
    const job = defineJob({
      name: 'stepped',
      run: async ({ step }) => {
        await step.run('once', () => calls.push('once'));
        await step.sleep('long', '1h');
      },
    });
    await processor.addJobFactory(job);
    const id = await processor.addJob(job);
    const jobs = afterFind(async () => {
      await processor.drain();
      await database.collections().jobs.updateOne({ _id: id }, { $set: { runAt: new Date(1) } });
    });
    const lease = { token: 'outdated', worker: 'slow', leaseMs: 1000 };
    const [taken] = await claimJobs(jobs, { jobNames: ['stepped'] }, lease, 2);
    expect(taken?.steps).toMatchObject({ run: 1 });
    expect(calls).toEqual(['once']);
  });

  test('of those who meet none goes away empty-handed while jobs wait', async () => {
    const processors = Array.from({ length: 4 }, () => database.processor());
    for (const processor of processors) await processor.addJobFactory(echo);
    for (let round = 0; round < 5; round += 1) {
      for (let n = 0; n < 8; n += 1) await processors[0]?.addJob('echo', { n });
      const ran = await Promise.all(processors.map((processor) => processor.processNextJob()));
      expect(ran).toEqual([true, true, true, true]);
    }
  });

  test('workers that start together share the work', async () => {
    const { gate, factory } = gatedJob();
    const workers = Array.from({ length: 3 }, () => database.processor({ maxThreads: 5 }));
    for (const worker of workers) await worker.addJobFactory(factory);
    for (let n = 0; n < 15; n += 1) await workers[0]?.addJob('gated', n);
    const draining = workers.map((worker) => worker.drain());
    await eventually(() => expect(gate.arrived).toBe(15));
    gate.open();
    for (const summary of await Promise.all(draining)) expect(summary.completed).toBeGreaterThan(0);
  });

  test('what somebody else took between find and take is left to them, and the rest is taken', async () => {
    const processor = await setup();
    for (const id of ['a', 'b', 'c']) await processor.addJob('echo', {}, { id });
    const jobs = afterFind(() => processor.pullNextJob());
    const lease = { token: 'second', worker: 'slow', leaseMs: 1000 };
    const claimed = await claimJobs(jobs, { jobNames: ['echo'] }, lease, 3);
    expect(claimed.map(({ id, token, retryCounter }) => [id, token, retryCounter]).sort()).toEqual([
      ['b', 'second', 1],
      ['c', 'second', 1],
    ]);
  });
});

test('what a claim has taken is not lost when its next try fails', async () => {
  const processor = await setup();
  for (const id of ['a', 'b', 'c']) await processor.addJob('echo', {}, { id });
  const jobs = afterFind(() => processor.pullNextJob(), refusingThirdFind());
  const lease = { token: 'second', worker: 'slow', leaseMs: 1000 };
  const claimed = await claimJobs(jobs, { jobNames: ['echo'] }, lease, 3);
  expect(claimed.map(({ id }) => id).sort()).toEqual(['b', 'c']);
});

/** The collection of jobs, whose server refuses a find from the third on: those before are of a claim, and of reading back. */
function refusingThirdFind(): Collection<JobDocument> {
  let finds = 0;
  return new Proxy(database.collections().jobs, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'find') return value.bind(target);
      return (filter: unknown, options: unknown) => {
        finds += 1;
        return value.call(target, finds < 3 ? filter : { $refused: true }, options);
      };
    },
  });
}

describe('jobs that must run alone', () => {
  const lease = { token: 'one', worker: 'some', leaseMs: 1000 };
  const filter = { jobNames: ['echo'] };

  test('no claim sees them; a claim of their own takes one at a time, in the order of claims', async () => {
    const processor = await setup();
    for (const id of ['a', 'b', 'urgent', 'later', 'other'])
      await processor.addJob('echo', {}, { id, ...(id === 'urgent' && { priority: 9 }) });
    await processor.updateJob('later', { delay: '1h' });
    const { jobs } = database.collections();
    await holdBack(jobs, { _id: { $ne: 'other' } });
    expect(await claimJobs(jobs, filter, lease, 5)).toMatchObject([{ id: 'other' }]);
    expect(await claimJobs(jobs, filter, lease, 1)).toEqual([]);
    for (const id of ['urgent', 'a', 'b'])
      expect(await claimJobAlone(jobs, filter, lease)).toMatchObject([{ id, retryCounter: 1 }]);
    expect(await claimJobAlone(jobs, filter, lease)).toEqual([]);
  });

  test('who pulls jobs gets them when there are no others', async () => {
    const processor = await setup();
    for (const id of ['alone', 'other']) await processor.addJob('echo', {}, { id, priority: id.length });
    await holdBack(database.collections().jobs, { _id: 'alone' });
    expect(await processor.pullNextJob()).toMatchObject({ id: 'other' });
    expect(await processor.pullNextJob()).toMatchObject({ id: 'alone' });
    expect(await processor.pullNextJob()).toBeUndefined();
  });

  test('those of a paused queue wait until it is resumed, and jobs of other queues do not wait for them', async () => {
    const processor = await setup();
    await processor.addJob('echo', {}, { id: 'alone', queue: 'paused' });
    await processor.addJob('echo', {}, { id: 'other' });
    await holdBack(database.collections().jobs, { _id: 'alone' });
    await processor.queues.pause('paused');
    expect(await processor.drain()).toMatchObject({ claimed: 1 });
    expect(await processor.getJobStatus('alone')).toBe('queued');
    await processor.queues.resume('paused');
    expect(await processor.drain()).toMatchObject({ claimed: 1 });
  });

  test('they are counted, and seen by who looks how long jobs wait', async () => {
    const processor = await setup();
    for (const id of ['alone', 'other']) await processor.addJob('echo', {}, { id });
    await holdBack(database.collections().jobs, { _id: 'alone' });
    expect(await processor.jobs.count()).toMatchObject({ queued: { count: 2, isCapped: false } });
    expect(await processor.jobs.countReady()).toBe(2);
    expect(await processor.jobs.oldestWaiting()).toMatchObject([{ id: 'alone', priority: 0 }]);
  });
});

/** The collection of jobs, with something that happens once between the find and the update of a claim. */
function afterFind(
  meddle: () => Promise<unknown>,
  jobs = database.collections().jobs,
): Collection<JobDocument> {
  let meddled: Promise<unknown> | undefined;
  return new Proxy(jobs, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'updateMany') return value.bind(target);
      return async (...args: unknown[]) => {
        meddled ??= meddle();
        await meddled;
        return value.apply(target, args);
      };
    },
  });
}

test('two commands claim any number of jobs, one settles them', async () => {
  const processor = await setup({ maxThreads: 20, lease: '1h' }); // No heartbeat comes in between.
  for (let n = 0; n < 20; n += 1) await processor.addJob('echo', { n });
  let completed = 0;
  const commands = await database.commandsForJobs(async () => {
    ({ completed } = await processor.drain());
  });
  expect(completed).toBe(20);
  // Nothing to recover; find, take; settle, and look whether more wait; the queue is empty; what was counted is written.
  expect(commands.map(({ commandName }) => commandName)).toEqual([
    'aggregate',
    'find',
    'update',
    'update',
    'find',
    'find',
    'findAndModify',
  ]);
});

test('one job at a time costs two commands a job: each is claimed by one, and settled by one', async () => {
  const processor = await setup({ maxThreads: 1, lease: '1h' });
  for (let n = 0; n < 10; n += 1) await processor.addJob('echo', { n });
  const commands = await database.commandsForJobs(async () => {
    expect(await processor.drain()).toMatchObject({ completed: 10 });
  });
  // And four for all: nothing to recover; none beside the last; the queue is empty; what was counted is written.
  expect(commands).toHaveLength(10 * 2 + 4);
});
