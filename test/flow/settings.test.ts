/** What a person sets for a limit. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { LocalProcessor } from '../../local/processor.js';
import { type ClaimedJob, defineJob } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { passTime } from '../pass-time.js';
import { useUnreliableNetwork } from '../unreliable-network.js';

const database = useDatabase();
const connect = useUnreliableNetwork(database);

const job = defineJob({
  name: 'import',
  input: z.object({ tenant: z.string() }),
  concurrency: { key: 'tenant', limit: 2 },
  run: async () => {},
});

async function worker(): Promise<LocalProcessor> {
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactory(job);
  return processor;
}

/** A processor with this many jobs of one tenant. */
async function withJobs(count: number): Promise<LocalProcessor> {
  const processor = await worker();
  const ids = Array.from({ length: count }, (_, n) => `job-${String(n).padStart(2, '0')}`);
  await processor.addJobs(ids.map((id) => ({ job, input: { tenant: 'a' }, options: { id } })));
  return processor;
}

/** Pulls all jobs that may start. */
async function pullAll(processor: LocalProcessor): Promise<ClaimedJob[]> {
  const pulled: ClaimedJob[] = [];
  for (let next = await processor.pullNextJob(); next; next = await processor.pullNextJob())
    pulled.push(next);
  return pulled;
}

const complete = async (processor: LocalProcessor, jobs: readonly ClaimedJob[]) => {
  for (const each of jobs) await processor.completeJob(each);
};

/** Moves the moment into the past at which somebody must look after the limits. */
const makeDue = () =>
  database.collections().limits.updateMany({ next: { $gt: new Date(0) } }, { $set: { next: new Date(1) } });

let passed = 0;

/** Lets all processes notice what was set: each goes by what it has read for 5 seconds at most. */
const letNotice = () => {
  passed += 5_000;
  passTime(passed);
};

test('a raised limit gives places at once to jobs that wait, also above the code', async () => {
  const processor = await withJobs(50);
  expect(await pullAll(processor)).toHaveLength(2);
  const ready: number[] = [];
  processor.on('jobsReady', ({ jobs }) => ready.push(jobs.length));
  expect(await processor.limits.set('import=a', { max: 40 })).toEqual({
    key: 'import=a',
    max: 40,
    paused: null,
  });
  expect(ready).toEqual([38]);
  expect(await database.collections().jobs.countDocuments({ claimable: true })).toBe(38);
  expect(await pullAll(processor)).toHaveLength(38);
});

test('a process without the code of the jobs raises a limit for a worker that knew the old one', async () => {
  const processor = await withJobs(6);
  const held = await pullAll(processor);
  await database.processor().limits.set('import=a', { max: 4 });
  letNotice();
  expect(await pullAll(processor)).toHaveLength(2);
  await complete(processor, held);
  expect(await pullAll(processor)).toHaveLength(2);
});

test('a lowered limit interrupts nothing, and none starts until fewer run', async () => {
  const processor = await withJobs(12);
  await processor.limits.set('import=a', { max: 8 });
  const held = await pullAll(processor);
  expect(held).toHaveLength(8);
  await processor.limits.set('import=a', { max: 3 });
  await complete(processor, held.slice(0, 5));
  expect(await pullAll(processor)).toEqual([]);
  await complete(processor, held.slice(5, 6));
  expect(await pullAll(processor)).toHaveLength(1);
});

test('a job that got its place before the limit was lowered does not start beside those that run', async () => {
  const processor = await withJobs(8);
  await processor.limits.set('import=a', { max: 4 });
  const held = await pullAll(processor);
  await complete(processor, held.slice(0, 2)); // Two more have places now.
  await processor.limits.set('import=a', { max: 2 });
  expect(await pullAll(processor)).toEqual([]);
  await complete(processor, held.slice(2));
  const next = await pullAll(processor);
  expect(next).toHaveLength(2);
  await complete(processor, next);
  expect(await pullAll(processor)).toHaveLength(2);
});

test('a number that is taken back is that of the code again, and none starts until fewer run', async () => {
  const processor = await withJobs(9);
  await processor.limits.set('import=a', { max: 6 });
  const held = await pullAll(processor);
  expect(await processor.limits.set('import=a', { max: null })).toMatchObject({ max: null });
  await complete(processor, held.slice(0, 4));
  expect(await pullAll(processor)).toEqual([]);
  await complete(processor, held.slice(4));
  const next = await pullAll(processor);
  expect(next).toHaveLength(2);
  await complete(processor, [...next, ...(await pullAll(processor))]);
  await makeDue();
  await processor.recoverJobs();
  expect(await database.collections().limits.countDocuments()).toBe(0);
});

describe('a paused limit', () => {
  test('lets none start, whoever freed a place, and goes on at once when it is resumed', async () => {
    const processor = await withJobs(10);
    const held = await pullAll(processor);
    const { paused } = await processor.limits.pause('import=a');
    expect(paused).toBeInstanceOf(Date);
    expect((await processor.limits.pause('import=a')).paused).toEqual(paused);
    await complete(processor, held);
    expect(await pullAll(processor)).toEqual([]);
    expect(await processor.limits.resume('import=a')).toEqual({ key: 'import=a', max: null, paused: null });
    expect(await pullAll(processor)).toHaveLength(2);
  });

  test('lets no job start that got its place before', async () => {
    const processor = await withJobs(4);
    await complete(processor, await pullAll(processor)); // The others have places now.
    await processor.limits.pause('import=a');
    expect(await pullAll(processor)).toEqual([]);
    await processor.limits.resume('import=a');
    expect(await pullAll(processor)).toHaveLength(2);
  });

  test('holds for a strict order, which then goes on where it was', async () => {
    const ordered = defineJob({ name: 'events', ordering: {}, run: async () => {} });
    const processor = database.processor({ maxThreads: 1 });
    await processor.addJobFactory(ordered);
    await processor.addJob(ordered, undefined, { id: 'a' });
    await processor.limits.pause('order events');
    for (const id of ['b', 'c']) await processor.addJob(ordered, undefined, { id });
    expect(await pullAll(processor)).toEqual([]);
    await processor.limits.resume('order events');
    for (const id of ['a', 'b', 'c']) {
      const [next = expect.fail(), ...others] = await pullAll(processor);
      expect([next.id, others]).toEqual([id, []]);
      await processor.completeJob(next);
    }
  });

  test('is noticed by other processes within 5 seconds, and so is its end', async () => {
    const processor = await withJobs(4);
    const person = database.processor();
    const held = await pullAll(processor);
    await person.limits.pause('import=a');
    letNotice();
    await complete(processor, held);
    expect(await pullAll(processor)).toEqual([]);
    await person.limits.resume('import=a');
    expect(await pullAll(processor)).toHaveLength(2);
  });

  test('leaves no place free once it is resumed, though a process did not know yet that it was resumed', async () => {
    const processor = await withJobs(3);
    const person = database.processor();
    const held = await pullAll(processor);
    await processor.limits.pause('import=a');
    await person.limits.resume('import=a');
    await complete(processor, held); // By what it knows, it is paused.
    expect(await pullAll(processor)).toHaveLength(1);
  });
});

test('several workers at once never run more than a person allowed, while the number goes up and down', async () => {
  let running = 0;
  let allowed = 0;
  const violations: number[] = [];
  const counted = defineJob({
    name: 'counted',
    concurrency: { limit: 2 },
    run: async () => {
      running += 1;
      if (running > allowed) violations.push(running);
      await new Promise(setImmediate);
      running -= 1;
    },
  });
  const workers = [1, 2, 3].map(() => database.processor({ maxThreads: 5 }));
  for (const each of workers) await each.addJobFactory(counted);
  const [person = expect.fail()] = workers;
  for (const max of [6, 1, 4, 2]) {
    await person.limits.set('counted', { max });
    letNotice(); // All have noticed.
    allowed = max;
    await person.addJobs(Array.from({ length: 40 }, () => ({ job: counted })));
    await Promise.all(workers.map((each) => each.drain()));
  }
  expect(violations).toEqual([]);
  expect(await database.collections().jobs.countDocuments({ status: 'completed' })).toBe(160);
});

test('a number that is lowered and raised while several workers run jobs holds once so few run', async () => {
  let [running, most, ended] = [0, 0, 0];
  const counted = defineJob({
    name: 'counted',
    concurrency: { limit: 8 },
    run: async () => {
      running += 1;
      most = Math.max(most, running);
      await wait(5);
      running -= 1;
      ended += 1;
    },
  });
  const workers = [1, 2, 3].map(() => database.processor({ maxThreads: 5 }));
  for (const each of workers) await each.addJobFactory(counted);
  const [person = expect.fail()] = workers;
  await person.addJobs(Array.from({ length: 150 }, () => ({ job: counted })));
  const drains = Promise.all(workers.map((each) => each.drain()));
  await eventually(() => expect(ended).toBeGreaterThan(30));
  await person.limits.set('counted', { max: 2 });
  letNotice();
  await eventually(() => expect(running).toBeLessThanOrEqual(2));
  most = 0;
  const before = ended;
  await eventually(() => expect(ended).toBeGreaterThan(before + 20));
  expect(most).toBeLessThanOrEqual(2);
  await person.limits.set('counted', { max: 6 });
  await drains;
  for (const each of workers) await each.drain();
  expect(most).toBeGreaterThan(2);
  expect(most).toBeLessThanOrEqual(6);
  expect(ended).toBe(150);
});

describe('the document of a limit', () => {
  const { collections } = database;

  test('is there before any job uses the limit, listed, and gone with the setting', async () => {
    const processor = database.processor();
    await processor.limits.set('export=b', { max: 7 });
    await processor.limits.pause('export=b');
    expect((await processor.limits.list()).limits).toEqual([
      {
        key: 'export=b',
        waiting: { count: 0, isCapped: false },
        oldest: null,
        taken: 0,
        limit: null,
        max: 7,
        paused: expect.any(Date),
        slowedUntil: null,
        stoppedBy: null,
        breaker: null,
      },
    ]);
    await processor.limits.set('export=b', { max: null });
    expect((await processor.limits.list()).limits).toMatchObject([{ key: 'export=b', max: null }]);
    await processor.limits.resume('export=b');
    await processor.limits.resume('never-paused');
    expect(await collections().limits.countDocuments()).toBe(0);
  });

  test('outlives the look when nobody waits any more, and is used when somebody waits again', async () => {
    const processor = await withJobs(4);
    await processor.limits.set('import=a', { max: 1 });
    for (let held = await pullAll(processor); held.length > 0; held = await pullAll(processor))
      await complete(processor, held);
    await makeDue();
    await processor.recoverJobs();
    expect(await collections().limits.findOne()).toEqual({
      _id: 'import=a',
      max: 1,
      set: expect.any(Date),
    });
    await processor.addJobs([1, 2].map(() => ({ job, input: { tenant: 'a' } })));
    const other = await worker();
    expect(await pullAll(other)).toHaveLength(1);
    expect(await collections().limits.findOne()).toMatchObject({ max: 1, next: expect.any(Date) });
  });

  test('outlives a look that began before the limit was paused', async () => {
    const processor = await withJobs(3);
    await pullAll(processor);
    await processor.cancelJob('job-02');
    await makeDue();
    const looking = await connect();
    let isPausing = false;
    let isPaused = false;
    looking.proxy.judgeBy((command) => {
      if (command.delete !== collectionNames.limits) return 'deliver';
      if (!isPausing) void processor.limits.pause('import=a').then(() => (isPaused = true));
      isPausing = true;
      return isPaused ? 'deliver' : 'cut';
    });
    await looking.processor.recoverJobs();
    expect(isPausing).toBe(true);
    expect(await collections().limits.countDocuments({ paused: { $exists: true } })).toBe(1);
  });
});

describe('refused', () => {
  test.each([
    ['', /expected the name of a limit/],
    ['with space', /expected the name of a limit/],
    ['import=', /expected the name of a limit/],
    [`import=${'x'.repeat(201)}`, /expected the name of a limit/],
    ['import=\ud800', /well-formed/],
    ['rate sync=acme', /a rate limit cannot be set or paused/],
  ])('the key %j', async (key, message) => {
    const { limits } = database.processor();
    await expect(limits.set(key, { max: 1 })).rejects.toMatchObject({
      code: 'validation_failed',
      issues: [{ path: 'key', message: expect.stringMatching(message) }],
    });
    await expect(limits.pause(key)).rejects.toThrow(message);
    await expect(limits.resume(key)).rejects.toThrow(message);
  });

  test.each([[0], [1001], [1.5], ['3'], [undefined]])('%j places', async (max) => {
    const { limits } = database.processor();
    await expect(Reflect.apply(limits.set, limits, ['import', { max }])).rejects.toMatchObject({
      issues: [{ path: 'changes.max' }],
    });
    expect(await database.collections().limits.countDocuments()).toBe(0);
  });
});
