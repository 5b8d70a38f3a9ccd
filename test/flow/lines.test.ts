/** What becomes of the line of a limit when a process dies between two statements, and when a person interferes. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, RemoteException, type RemoteProcessor } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { Gate } from '../jobs.js';
import { useUnreliableNetwork } from '../unreliable-network.js';

const database = useDatabase();
const connect = useUnreliableNetwork(database);

const input = z.object({ tenant: z.string() });

/** A processor with jobs of one tenant, of which one runs at a time. The first holds the place, the others wait. */
async function lineOf(count: number, options: { readonly maxRetries?: number } = {}) {
  const gate = new Gate();
  const job = defineJob({
    name: 'import',
    input,
    concurrency: { key: 'tenant', limit: 1 },
    retryDelay: 0,
    ...options,
    run: ({ signal }) => gate.pass(signal),
  });
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactory(job);
  const ids = Array.from({ length: count }, (_, n) => `job-${n}`);
  await processor.addJobs(ids.map((id) => ({ job, input: { tenant: 'a' }, options: { id } })));
  const holder = await processor.pullNextJob();
  expect(holder?.id).toBe('job-0');
  expect(await processor.pullNextJob()).toBeUndefined();
  return { processor, holder: holder ?? expect.fail(), gate, job };
}

const stored = (id: string) => database.storedJob(id);

/** Moves the moment into the past at which somebody must look after the limits. */
const makeDue = () =>
  database.collections().limits.updateMany({}, { $set: { next: new Date(Date.now() - 1000) } });

test('a blocked job is queued, no claim sees it, and it says what it waits for', async () => {
  const { processor } = await lineOf(3);
  const job = await processor.getJob('job-1');
  expect(job).toMatchObject({
    status: 'queued',
    blockedBy: 'import=a',
    retryCounter: 0,
    givenBackCounter: 0,
  });
  expect(await stored('job-1')).toMatchObject({ claimable: false });
  expect(await processor.jobs.count()).toMatchObject({ queued: { count: 2 }, processing: { count: 1 } });
  expect(await processor.limits.list()).toEqual({
    limits: [
      {
        key: 'import=a',
        waiting: { count: 2, isCapped: false },
        oldest: expect.any(Date),
        taken: 1,
        limit: 1,
        max: null,
        paused: null,
        slowedUntil: null,
        stoppedBy: null,
        breaker: null,
      },
    ],
    cursor: undefined,
  });
});

test('the place of a job that ended goes to the first in line: higher priority first', async () => {
  const { processor, holder } = await lineOf(3);
  await processor.updateJob('job-2', { priority: 5 });
  await processor.completeJob(holder);
  expect(await stored('job-2')).toMatchObject({ claimable: true, slots: [{ key: 'import=a', number: 0 }] });
  expect(await stored('job-1')).toMatchObject({ claimable: false });
});

describe('whoever freed a place and died before giving it away', () => {
  /** Ends the holder's attempt as its worker would, but gives its place to nobody. */
  const endAndDie = () =>
    database.collections().jobs.updateOne({ _id: 'job-0' }, { $set: { status: 'completed' } });

  test('the look gives it away', async () => {
    const { processor } = await lineOf(2);
    await endAndDie();
    await makeDue();
    await processor.recoverJobs();
    expect(await stored('job-1')).toMatchObject({ claimable: true });
    expect((await processor.pullNextJob())?.id).toBe('job-1');
  });

  test('no look comes before it is due', async () => {
    const { processor } = await lineOf(2);
    await endAndDie();
    await processor.recoverJobs();
    expect(await stored('job-1')).toMatchObject({ claimable: false });
  });

  test('the look forgets a limit that nobody waits for, and keeps one that somebody waits for', async () => {
    const { processor, holder } = await lineOf(2);
    const { limits } = database.collections();
    await makeDue();
    await processor.recoverJobs();
    expect((await limits.findOne())?.next?.getTime()).toBeGreaterThan(Date.now());
    await processor.completeJob(holder);
    await makeDue();
    await processor.recoverJobs();
    expect(await limits.countDocuments()).toBe(0);
  });
});

test('a job whose worker died keeps its place until it is recovered and has ended', async () => {
  const { processor } = await lineOf(2, { maxRetries: 1 });
  const { jobs } = database.collections();
  await jobs.updateOne({ _id: 'job-0' }, { $set: { 'lease.expires': new Date(0) } });
  await processor.recoverJobs();
  const lost = await stored('job-0');
  expect(lost?.status).toBe('error');
  expect(lost?.slots).toBeUndefined();
  expect(await stored('job-1')).toMatchObject({ claimable: true });
});

test('a job whose worker died and that is tried again keeps its place', async () => {
  const { processor } = await lineOf(2, { maxRetries: 3 });
  const { jobs } = database.collections();
  await jobs.updateOne({ _id: 'job-0' }, { $set: { 'lease.expires': new Date(0) } });
  await processor.recoverJobs();
  await makeDue();
  await processor.recoverJobs();
  expect(await stored('job-0')).toMatchObject({ status: 'queued', slots: [{ key: 'import=a', number: 0 }] });
  expect(await stored('job-1')).toMatchObject({ claimable: false });
});

describe('a person', () => {
  test('cancels the job that holds the place before it begins: the next one gets it', async () => {
    const { processor, holder } = await lineOf(3);
    await processor.completeJob(holder);
    expect(await stored('job-1')).toMatchObject({ claimable: true });
    await processor.cancelJob('job-1');
    expect(await stored('job-2')).toMatchObject({ claimable: true });
  });

  test.each([
    ['puts it off', (processor: RemoteProcessor) => processor.updateJob('job-1', { delay: '1h' })],
    [
      'cancels it with others',
      (processor: RemoteProcessor) => processor.jobs.cancelMany({ status: 'queued' }, { limit: 1 }),
    ],
  ])('%s before the job that holds the place begins: the next one gets it', async (_, change) => {
    const { processor, holder } = await lineOf(3);
    await processor.completeJob(holder);
    await change(processor);
    expect(await stored('job-2')).toMatchObject({ claimable: true });
  });

  test('resumes a queue: its jobs get the places that became free in the meantime', async () => {
    const { processor, holder } = await lineOf(2);
    await processor.queues.pause('default');
    await processor.recoverJobs(); // Reads which queues are paused.
    await processor.completeJob(holder);
    expect(await stored('job-1')).toMatchObject({ claimable: false });
    await processor.queues.resume('default');
    expect(await stored('job-1')).toMatchObject({ claimable: true });
  });

  test('moves a job in line to a queue that is not paused: it gets a free place', async () => {
    const { processor, holder } = await lineOf(2);
    await processor.queues.pause('default');
    await processor.recoverJobs();
    await processor.completeJob(holder);
    await processor.updateJob('job-1', { queue: 'open' });
    expect(await stored('job-1')).toMatchObject({ claimable: true });
  });

  test('cancels a job in line: it waits no more', async () => {
    const { processor, holder } = await lineOf(3);
    expect(await processor.cancelJob('job-1')).toBe('cancelled');
    expect((await stored('job-1'))?.blockedBy).toBeUndefined();
    await processor.completeJob(holder);
    expect(await stored('job-2')).toMatchObject({ claimable: true });
  });

  test('retries a cancelled job that held a place: it comes to the limit anew', async () => {
    const { processor, holder } = await lineOf(2);
    await processor.completeJob(holder);
    await processor.cancelJob('job-1');
    await processor.retryJob('job-1');
    expect((await stored('job-1'))?.slots).toBeUndefined();
    expect((await processor.pullNextJob())?.slots).toEqual([{ key: 'import=a', number: 0 }]);
  });

  test('puts off a job in line: it comes to the limit anew at its time', async () => {
    const { processor } = await lineOf(2);
    await processor.updateJob('job-1', { delay: '1h' });
    const job = await stored('job-1');
    expect(job).toMatchObject({ claimable: true });
    expect(job?.blockedBy).toBeUndefined();
  });
});

test('an attempt that fails frees the place, and the job waits for one again', async () => {
  const { processor, holder } = await lineOf(2);
  expect(await processor.failJob(holder, new Error('again'))).toBe('queued');
  expect((await stored('job-0'))?.slots).toBeUndefined();
  expect((await processor.pullNextJob())?.id).toBe('job-1');
  expect(await processor.pullNextJob()).toBeUndefined();
  expect(await stored('job-0')).toMatchObject({ status: 'queued', blockedBy: 'import=a', retryCounter: 1 });
});

test('a job that ends in error holds no place', async () => {
  const { processor, holder } = await lineOf(2);
  expect(await processor.failJob(holder, new RemoteException('no'))).toBe('error');
  expect((await stored('job-0'))?.slots).toBeUndefined();
  expect((await processor.pullNextJob())?.id).toBe('job-1');
});

test('a place that becomes free between the look and the block is not overlooked', async () => {
  const { holder, processor, job } = await lineOf(1);
  const other = await connect({ maxThreads: 1 });
  await other.processor.addJobFactory(job);
  await processor.addJob(job, { tenant: 'a' }, { id: 'job-1' });
  let freed: Promise<void> | undefined;
  let isFree = false;
  other.proxy.judgeBy(({ update }) => {
    if (update !== collectionNames.limits) return 'deliver';
    freed ??= processor.completeJob(holder).then(() => {
      isFree = true;
    });
    return isFree ? 'deliver' : 'cut';
  });
  expect((await other.processor.pullNextJob())?.id).toBe('job-1');
  await freed;
});

test.each([
  ['blocks no job', 'a'],
  ['starts no job', 'b'],
])('a worker that was frozen for longer than its lease %s', async (_, tenant) => {
  const { processor, job } = await lineOf(1);
  const frozen = await connect({ maxThreads: 1 });
  await frozen.processor.addJobFactory(job);
  await processor.addJob(job, { tenant }, { id: 'late' });
  let isExpired = false;
  const expire = async () => {
    await database.collections().jobs.updateOne({ _id: 'late' }, { $set: { 'lease.expires': new Date(0) } });
    isExpired = true;
  };
  let isExpiring = false;
  frozen.proxy.judgeBy((command) => {
    if (command.update !== collectionNames.jobs) return 'deliver';
    if (!isExpiring) void expire();
    isExpiring = true;
    return isExpired ? 'deliver' : 'cut';
  });
  expect(await frozen.processor.pullNextJob()).toBeUndefined();
  const late = await stored('late');
  expect(late?.status).toBe('processing');
  expect(late?.slots).toBeUndefined();
  expect(late?.blockedBy).toBeUndefined();
});

describe('a deployment that changes a limit while jobs wait', () => {
  const kind = (limit: number) =>
    defineJob({ name: 'import', input, concurrency: { key: 'tenant', limit }, run: async () => {} });

  async function waitingUnder(before: number, after: number, isLookedAfter = true): Promise<number> {
    const old = database.processor({ maxThreads: 1 });
    await old.addJobFactory(kind(before));
    await old.addJobs(Array.from({ length: 20 }, () => ({ name: 'import', input: { tenant: 'a' } })));
    const held = [];
    for (let job = await old.pullNextJob(); job; job = await old.pullNextJob()) held.push(job);
    expect(held).toHaveLength(before);
    const now = database.processor({ maxThreads: 1 });
    await now.addJobFactory(kind(after));
    for (const job of held) await now.completeJob(job);
    if (isLookedAfter) {
      await makeDue();
      await now.recoverJobs();
    }
    let claimed = 0;
    while (await now.pullNextJob()) claimed += 1;
    return claimed;
  }

  test('to a lower one: as jobs end, fewer and fewer run', async () => {
    expect(await waitingUnder(5, 2)).toBe(2);
  });

  test('to a lower one: the last that ends gives its place away, though the new limit has no such number', async () => {
    expect(await waitingUnder(5, 2, false)).toBe(2);
  });

  test('to a higher one: jobs that wait already keep to the lower one', async () => {
    expect(await waitingUnder(2, 5)).toBe(2);
  });
});

test('paused queues give no job a place, and their jobs do not hold up others', async () => {
  const { processor, holder } = await lineOf(3);
  await processor.updateJob('job-1', { queue: 'paused' });
  await processor.queues.pause('paused');
  await processor.recoverJobs(); // Reads which queues are paused.
  await processor.completeJob(holder);
  expect(await stored('job-1')).toMatchObject({ claimable: false });
  expect(await stored('job-2')).toMatchObject({ claimable: true });
});

test('a job given back keeps its place', async () => {
  const { processor, holder, gate } = await lineOf(2);
  await processor.failJob(holder, new Error('again'));
  const stop = new AbortController();
  const draining = processor.drain({ signal: stop.signal });
  await expect.poll(() => gate.arrived).toBe(1);
  stop.abort();
  expect(await draining).toMatchObject({ givenBack: 1 });
  const held: Pick<JobDocument, '_id'>[] = await database
    .collections()
    .jobs.find({ status: 'queued', 'slots.key': 'import=a' })
    .toArray();
  expect(held).toHaveLength(1);
});
