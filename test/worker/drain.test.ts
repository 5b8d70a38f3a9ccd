import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AttemptAbortedError, defineJob, Snooze } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { expectCountedOnce } from '../counted-once.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { holdBack } from '../hold-back.js';
import { echo, failing, flaky, Gate, gatedJob } from '../jobs.js';
import { passTime } from '../pass-time.js';

const database = useDatabase({ monitorCommands: true });

test('it runs jobs until none is due, and tells what it did', async () => {
  const processor = database.processor({ maxThreads: 3 });
  await processor.addJobFactories([echo, failing, flaky]);
  for (let n = 0; n < 7; n += 1) await processor.addJob('echo', { n });
  await processor.addJob('failing');
  await processor.addJob('flaky');
  expect(await processor.drain()).toEqual({
    claimed: 9,
    completed: 7,
    retried: 1,
    errors: 1,
    cancelled: 0,
    snoozed: 0,
    suspended: 0,
    givenBack: 0,
    stale: 0,
    unsettled: 0,
    abandoned: 0,
    remaining: 0,
  });
});

test('each attempt that it claimed is counted once, however it ended', async () => {
  const processor = database.processor({ maxThreads: 10 });
  const { gate, factory: unfinished } = gatedJob();
  const snoozing = defineJob({
    name: 'snoozing',
    run: async () => {
      throw new Snooze('1h');
    },
  });
  const cancelling = defineJob({
    name: 'cancelling',
    run: ({ processor: p, jobId }) => p.cancelJob(jobId),
  });
  const losing = defineJob({
    name: 'losing',
    run: async ({ jobId }) => {
      const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
      await jobs.updateOne({ _id: jobId }, { $set: { 'lease.token': 'of somebody else' } });
    },
  });
  const names = ['echo', 'echo', 'failing', 'flaky', 'snoozing', 'cancelling', 'losing', 'gated'];
  await processor.addJobFactories([echo, failing, flaky, snoozing, cancelling, losing, unfinished]);
  for (const name of names) await processor.addJob(name, name === 'echo' ? {} : undefined);
  const stop = new AbortController();
  // Enough time for the writes of a busy machine.
  const draining = processor.drain({ signal: stop.signal, margin: '2m' });
  await eventually(() => expect(gate.arrived).toBe(1));
  stop.abort();
  const summary = await draining;
  expectCountedOnce(summary);
  expect(summary).toMatchObject({
    claimed: 8,
    completed: 2,
    errors: 1,
    retried: 1,
    snoozed: 1,
    cancelled: 1,
    stale: 1,
    givenBack: 1,
    unsettled: 0,
  });
});

test('it runs maxThreads jobs at a time, and no more', async () => {
  const processor = database.processor({ maxThreads: 4 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  for (let n = 0; n < 10; n += 1) await processor.addJob('gated');
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(4));
  expect(await processor.getJobs({ status: 'processing' })).toHaveLength(4);
  gate.open();
  expect(await draining).toMatchObject({ claimed: 10, completed: 10 });
});

test('one claim fills all slots, however many', async () => {
  const processor = database.processor({ maxThreads: 150 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  await processor.addJobs(Array.from({ length: 160 }, () => ({ name: 'gated' })));
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(150));
  gate.open();
  expect(await draining).toMatchObject({ claimed: 160, completed: 160 });
});

test('jobs that must run alone are claimed one by one: each costs two commands', async () => {
  const processor = database.processor({ maxThreads: 5, lease: '1h' }); // No heartbeat comes in between.
  await processor.addJobFactory(echo);
  await processor.addJobs(Array.from({ length: 30 }, () => ({ name: 'echo', input: {} })));
  await holdBack(database.collections().jobs, {});
  const commands = await database.commandsForJobs(async () => {
    expect(await processor.drain()).toMatchObject({ claimed: 30, completed: 30 });
  });
  // And four for all: the look for them; none is left; the queue is empty; what was counted is written.
  expect(commands).toHaveLength(30 * 2 + 4);
});

test('a worker that is busy for long looks for jobs that must run alone, and runs them beside nothing', async () => {
  const processor = database.processor({ lease: '1s', maxThreads: 2 });
  const { jobs } = database.collections();
  const running = new Set<string>();
  const beside: string[][] = [];
  let isOver = false;
  await processor.addJobFactory(
    defineJob({
      name: 'endless',
      run: async ({ jobId, processor: adding }) => {
        running.add(jobId);
        if (jobId === 'alone') beside.push([...running]);
        await sleep(20);
        running.delete(jobId);
        if (jobId === 'alone') isOver = true;
        else if (!isOver) await adding.addJob('endless');
      },
    }),
  );
  for (let n = 0; n < 4; n += 1) await processor.addJob('endless');
  const draining = processor.drain();
  await eventually(() => expect(running.size).toBe(2));
  await processor.addJob('endless', undefined, { id: 'alone', delay: '1h' });
  await holdBack(jobs, { _id: 'alone' });
  await processor.updateJob('alone', { delay: 0 });
  expect(await draining).toMatchObject({ retried: 0, errors: 0 });
  expect(beside).toEqual([['alone']]);
});

test('two at a time, a job costs two commands, as one at a time', async () => {
  const processor = database.processor({ maxThreads: 2, lease: '1h' });
  await processor.addJobFactory(defineJob({ name: 'slow', run: () => sleep(30 + Math.random() * 30) }));
  await processor.addJobs(Array.from({ length: 20 }, () => ({ name: 'slow' })));
  const commands = await database.commandsForJobs(async () => {
    expect(await processor.drain()).toMatchObject({ completed: 20 });
  });
  // And ten for all: nothing to recover, the first two by two commands, claims that find nothing, what was counted.
  expect(commands.length).toBeLessThanOrEqual(20 * 2 + 10);
});

test('a slow job does not hold up the other slots', async () => {
  const processor = database.processor({ maxThreads: 2 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactories([factory, echo]);
  await processor.addJob('gated', undefined, { priority: 9 });
  for (let n = 0; n < 10; n += 1) await processor.addJob('echo', { n });
  const draining = processor.drain();
  await eventually(async () => expect(await processor.getJobs({ status: 'completed' })).toHaveLength(10));
  gate.open();
  expect(await draining).toMatchObject({ completed: 11 });
});

test('jobs that are added while it waits for others are found, at the interval given', async () => {
  const processor = database.processor({ maxThreads: 2 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactories([factory, echo]);
  await processor.addJob('gated');
  const draining = processor.drain({ pollInterval: 5 });
  await eventually(() => expect(gate.arrived).toBe(1));
  const id = await processor.addJob('echo', {});
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('completed'));
  gate.open();
  await draining;
});

describe('told to stop', () => {
  test('it fires the signals, gives back what heeds them, and claims no more', async () => {
    const processor = database.processor({ maxThreads: 2 });
    const { gate, factory } = gatedJob();
    await processor.addJobFactory(factory);
    for (const id of ['a', 'b', 'c']) await processor.addJob('gated', undefined, { id });
    const stop = new AbortController();
    const draining = processor.drain({ signal: stop.signal });
    await eventually(() => expect(gate.arrived).toBe(2));
    stop.abort();
    expect(await draining).toMatchObject({ claimed: 2, givenBack: 2, remaining: 3 });
    for (const job of await processor.getJobs()) {
      expect(job).toMatchObject({ status: 'queued', retryCounter: 0, errors: [] });
      expect(job).not.toHaveProperty('lease');
    }
    expect((await processor.getJobs()).map(({ givenBackCounter }) => givenBackCounter)).toEqual([1, 1, 0]);
  });

  test('it gives back what ignores the signal, and its late outcome changes nothing', async () => {
    const processor = database.processor();
    const gate = new Gate();
    const deaf = defineJob({ name: 'deaf', run: () => gate.pass(new AbortController().signal) });
    await processor.addJobFactory(deaf);
    const id = await processor.addJob('deaf');
    const deadline = new Date(Date.now() + 60_000);
    const stop = new AbortController();
    // Half the margin is the grace: none.
    const draining = processor.drain({ deadline, margin: 0, signal: stop.signal });
    await eventually(() => expect(gate.arrived).toBe(1));
    stop.abort();
    expect(await draining).toMatchObject({ givenBack: 1 });
    gate.open();
    await new Promise(setImmediate);
    expect(await processor.getJob(id)).toMatchObject({
      status: 'queued',
      retryCounter: 0,
      givenBackCounter: 1,
    });
  });

  test('what ends in time counts as it ended', async () => {
    const processor = database.processor();
    const gate = new Gate();
    const polite = defineJob({
      name: 'polite',
      run: ({ signal }) =>
        gate.pass(signal).catch((error) => (error instanceof AttemptAbortedError ? error.why : 'other')),
    });
    await processor.addJobFactory(polite);
    const id = await processor.addJob('polite');
    const stop = new AbortController();
    const draining = processor.drain({ signal: stop.signal });
    await eventually(() => expect(gate.arrived).toBe(1));
    stop.abort();
    expect(await draining).toMatchObject({ completed: 1, givenBack: 0 });
    expect(await processor.getJobResult(id)).toBe('stopping');
  });

  test('before its deadline it stops by itself', async () => {
    const processor = database.processor();
    const { gate, factory } = gatedJob();
    await processor.addJobFactory(factory);
    const id = await processor.addJob('gated');
    const deadline = new Date(Date.now() + 6_000);
    const draining = processor.drain({ deadline, margin: '4s' });
    await eventually(() => expect(gate.arrived).toBe(1));
    expect(await draining).toMatchObject({ givenBack: 1, remaining: 1 });
    expect(Date.now()).toBeLessThan(deadline.getTime());
    expect(await processor.getJobStatus(id)).toBe('queued');
  });

  test('it does not begin a job whose input is still being parsed', async () => {
    const processor = database.processor();
    const parsing = new Gate();
    const begun: string[] = [];
    let parsed = 0;
    const input = z.string().refine(async () => {
      parsed += 1;
      if (parsed === 2) await parsing.pass(new AbortController().signal); // First it is checked when it is added.
      return true;
    });
    const picky = defineJob({ name: 'picky', input, run: ({ jobId }) => void begun.push(jobId) });
    await processor.addJobFactory(picky);
    const id = await processor.addJob(picky, 'any');
    const stop = new AbortController();
    const draining = processor.drain({ signal: stop.signal });
    await eventually(() => expect(parsing.arrived).toBe(1));
    stop.abort();
    parsing.open();
    expect(await draining).toMatchObject({ claimed: 1, givenBack: 1, abandoned: 0 });
    expect(await processor.getJob(id)).toMatchObject({ status: 'queued', retryCounter: 0 });
    expect(begun).toEqual([]);
  });

  test('with a deadline that has passed it claims nothing', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    await processor.addJob('echo', {});
    expect(await processor.drain({ deadline: new Date(0) })).toMatchObject({ claimed: 0, remaining: 1 });
  });
});

describe('the heartbeat', () => {
  /** Its next one is due then, and none after it while a test lasts. */
  const lease = '30s';
  const HEARTBEAT_MS = 10_000;

  test('renews the leases of all running jobs in one command', async () => {
    const processor = database.processor({ maxThreads: 5, lease });
    const { gate, factory } = gatedJob();
    await processor.addJobFactory(factory);
    for (let n = 0; n < 5; n += 1) await processor.addJob('gated');
    const draining = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(5));
    const expiries = async () => (await processor.getJobs()).map(({ lease }) => Number(lease?.expires));
    const before = await expiries();
    const commands = await database.commandsForJobs(async () => {
      passTime(HEARTBEAT_MS);
      await eventually(async () => {
        const after = await expiries();
        expect(after.every((expiry, index) => expiry > (before[index] ?? Number.NaN))).toBe(true);
      });
    });
    expect(commands.filter(({ commandName }) => commandName === 'update')).toHaveLength(1);
    gate.open();
    expect(await draining).toMatchObject({ completed: 5 });
  });

  test('fires the signal of a job that is to be cancelled, and of no other', async () => {
    const processor = database.processor({ maxThreads: 2, lease });
    const { gate, factory } = gatedJob();
    await processor.addJobFactory(factory);
    const first = await processor.addJob('gated');
    const second = await processor.addJob('gated');
    const draining = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(2));
    expect(await processor.cancelJob(first)).toBe('processing');
    passTime(HEARTBEAT_MS);
    await eventually(async () => expect(await processor.getJobStatus(first)).toBe('cancelled'));
    expect(await processor.getJobStatus(second)).toBe('processing');
    gate.open();
    expect(await draining).toMatchObject({ cancelled: 1, completed: 1 });
  });

  test('fires the signal of a job whose lease somebody else has, and its outcome is stale', async () => {
    const processor = database.processor({ lease });
    const { gate, factory } = gatedJob();
    await processor.addJobFactory(factory);
    const id = await processor.addJob('gated');
    const draining = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(1));
    await database.db
      .collection<{ _id: string }>(collectionNames.jobs)
      .updateOne({ _id: id }, { $set: { 'lease.token': 'of somebody else' } });
    passTime(HEARTBEAT_MS);
    expect(await draining).toMatchObject({ stale: 1 });
    expect(await database.storedJob(id)).toMatchObject({
      status: 'processing',
      lease: { token: 'of somebody else' },
    });
  });
});

test('what has ended is not kept in memory until the invocation ends', async () => {
  const processor = database.processor({ maxThreads: 2 });
  const inputs: WeakRef<object>[] = [];
  const seen = defineJob({
    name: 'seen',
    input: z.custom<object>((value) => typeof value === 'object'),
    run: ({ input }) => void inputs.push(new WeakRef(input)),
  });
  const { gate, factory } = gatedJob();
  await processor.addJobFactories([factory, seen]);
  await processor.addJob('gated', undefined, { priority: 9 });
  for (let n = 0; n < 5; n += 1) await processor.addJob(seen, { n });
  const draining = processor.drain();
  await eventually(async () => expect(await processor.getJobs({ status: 'completed' })).toHaveLength(5));
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  await eventually(() => {
    collectGarbage();
    expect(inputs[0]?.deref()).toBeUndefined();
  });
  gate.open();
  expect(await draining).toMatchObject({ completed: 6 });
});

test('progress is stored, and only while the lease is held', async () => {
  const processor = database.processor();
  const gate = new Gate();
  const reporting = defineJob({
    name: 'reporting',
    run: async ({ progress, signal }) => {
      await Promise.all([progress({ done: 1 }), progress({ done: 2 }), progress({ $done: 3 })]);
      await gate.pass(signal);
      return null;
    },
  });
  await processor.addJobFactory(reporting);
  const id = await processor.addJob('reporting');
  const running = processor.processNextJob();
  await eventually(() => expect(gate.arrived).toBe(1));
  expect((await processor.getJob(id))?.progress).toEqual({ $done: 3 });
  gate.open();
  await running;
});

test('a job can add others through the processor it is given', async () => {
  const processor = database.processor();
  const parent = defineJob({
    name: 'parent',
    run: ({ processor: p }) => p.addJob('echo', { from: 'parent' }),
  });
  await processor.addJobFactories([parent, echo]);
  const id = await processor.addJob('parent');
  expect(await processor.processJobs()).toBe(2);
  const child = await processor.getJobResult(id);
  expect(await processor.getJobResult(String(child))).toEqual({ from: 'parent' });
});
