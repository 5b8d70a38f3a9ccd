import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { LocalProcessor } from '../../local/processor.js';
import { type ClaimedJob, defineJob, RemoteException } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

const RUNS = Number(process.env.MODEL_RUNS ?? 4);

const input = z.object({ key: z.string(), n: z.number() });
const shared = { input, maxRetries: 3, retryDelay: 0, run: async () => {} };
const LIMITS = { 'pair=a': 2, 'pair=b': 2, all: 3 } as const;
const kinds = [
  defineJob({
    ...shared,
    name: 'pair',
    concurrency: [
      { key: 'key', limit: 2 },
      { name: 'all', limit: 3 },
    ],
  }),
  defineJob({ ...shared, name: 'single', concurrency: { name: 'all', limit: 3 } }),
  defineJob({ ...shared, name: 'order', ordering: { key: 'key' } }),
  defineJob({ ...shared, name: 'fair', fairness: { key: 'key' }, concurrency: { name: 'all', limit: 3 } }),
] as const;

/** What a simple model knows: which jobs run, and how many may. */
class Model {
  readonly running: ClaimedJob[] = [];
  readonly paused = new Set<string>();
  readonly max = new Map<string, number>(Object.entries(LIMITS));
  n = 0;

  /** Takes any of the jobs that run. */
  take(n: number): ClaimedJob | undefined {
    return this.running.splice(n % Math.max(1, this.running.length), 1)[0];
  }

  holding(key: string): ClaimedJob[] {
    return this.running.filter(({ slots = [] }) => slots.some((slot) => slot.key === key));
  }
}

type Action = (model: Model, processor: LocalProcessor, n: number) => Promise<unknown>;

const limitAt = (n: number) => Object.keys(LIMITS)[n % 3] ?? 'all';

const actions: Readonly<Record<string, Action>> = {
  async add(model, processor, n) {
    const jobs = Array.from({ length: 1 + (n % 4) }, (_, index) => {
      const { name } = kinds[(n + index) % 4] ?? kinds[0];
      return { name, input: { key: n % 3 === 0 ? 'b' : 'a', n: model.n + index } };
    });
    model.n += jobs.length;
    await processor.addJobs(jobs);
  },
  async claim(model, processor) {
    const job = await processor.pullNextJob();
    if (!job) return;
    for (const { key } of job.slots ?? []) {
      expect(model.paused).not.toContain(key);
      const max = key.startsWith('order ') ? 1 : model.max.get(key);
      expect(model.holding(key).length, key).toBeLessThan(max ?? 0);
    }
    model.running.push(job);
  },
  async complete(model, processor, n) {
    const job = model.take(n);
    if (job) await processor.completeJob(job);
  },
  async fail(model, processor, n) {
    const job = model.take(n);
    if (job) await processor.failJob(job, n % 2 ? new Error('again') : new RemoteException('no'));
  },
  async crash(model, processor, n) {
    const job = model.take(n);
    if (!job) return;
    const { jobs } = database.collections();
    await jobs.updateOne({ _id: job.id }, { $set: { 'lease.expires': new Date(0) } });
    await processor.recoverJobs();
  },
  async cancel(_, processor, n) {
    const [id = ''] = await idsOf(['queued'], n);
    if (id) await processor.cancelJob(id);
  },
  async retry(_, processor, n) {
    const [id] = await idsOf(['error', 'cancelled'], n);
    if (id) await processor.retryJob(id);
  },
  async skip(_, processor, n) {
    await processor.limits.skip(`order order=${n % 2 ? 'a' : 'b'}`).catch(() => {});
  },
  async set(model, processor, n) {
    const key = limitAt(n);
    const max = 1 + (n % 4);
    await processor.limits.set(key, { max });
    model.max.set(key, max);
  },
  async pause(model, processor, n) {
    await processor.limits.pause(limitAt(n));
    model.paused.add(limitAt(n));
  },
  async resume(model, processor, n) {
    await processor.limits.resume(limitAt(n));
    model.paused.delete(limitAt(n));
  },
  look: (_, processor) => lookNow(processor),
};

async function idsOf(statuses: readonly JobDocument['status'][], n: number): Promise<string[]> {
  const { jobs } = database.collections();
  const found = await jobs.find({ status: { $in: [...statuses] } }, { sort: { _id: 1 } }).toArray();
  const ids = found.map(({ _id }) => _id);
  return ids.slice(n % Math.max(1, ids.length));
}

/**
 * Lets somebody look after all lines in which jobs wait, as happens within a minute or two. The processor trusts its own notes
 * for half a minute, so the documents of empty lines must stay for that time.
 */
async function lookNow(processor: LocalProcessor): Promise<void> {
  const { jobs, limits } = database.collections();
  const waiting = await jobs.distinct('blockedBy', { status: 'queued' });
  await limits.updateMany(
    { _id: { $in: waiting.flatMap((key) => key ?? []) } },
    { $set: { next: new Date(0) } },
  );
  await processor.recoverJobs();
}

/** A job that runs holds all its places, and somebody looks after the limit of a job that waits. */
async function expectNoLeak(model: Model): Promise<void> {
  const { jobs, limits } = database.collections();
  const found = await jobs.find().toArray();
  const noted = new Set((await limits.find({ next: { $exists: true } }).toArray()).map(({ _id }) => _id));
  for (const { blockedBy } of found) if (blockedBy !== undefined) expect(noted).toContain(blockedBy);
  const running = new Set(model.running.map(({ id }) => id));
  for (const { _id, limits: needed = [], slots = [] } of found.filter(({ _id }) => running.has(_id))) {
    const held = slots.map(({ key }) => key);
    for (const { key } of needed.filter(({ key }) => !key.startsWith('turn ')))
      expect(held, _id).toContain(key);
  }
}

/** Once nothing is paused and no failed job stops an order, all jobs run, and each order is kept. */
async function expectAllToEnd(model: Model, processor: LocalProcessor): Promise<void> {
  for (const job of model.running.splice(0)) await processor.completeJob(job);
  for (const key of Object.keys(LIMITS)) await processor.limits.resume(key);
  for (const key of ['a', 'b']) await processor.limits.skip(`order order=${key}`).catch(() => {});
  const { jobs } = database.collections();
  const begun: JobDocument['input'][] = [];
  for (let round = 0; round < 5; round += 1) {
    await lookNow(processor);
    for (let job = await processor.pullNextJob(); job; job = await processor.pullNextJob()) {
      if (job.jobName === 'order') begun.push(job.input);
      await processor.completeJob(job);
    }
  }
  expect(await jobs.countDocuments({ status: { $in: ['queued', 'processing'] } })).toBe(0);
  expect(
    await jobs.countDocuments({
      status: 'completed',
      slots: { $exists: true },
      blockedBy: { $exists: true },
    }),
  ).toBe(0);
}

const steps = fc.array(
  fc.tuple(fc.constantFrom(...Object.keys(actions), 'add', 'claim', 'claim', 'complete'), fc.nat(1000)),
  {
    minLength: 5,
    maxLength: 40,
  },
);

test('whatever is done, no limit is exceeded, no place leaks and nothing waits for ever', async () => {
  const property = fc.asyncProperty(steps, async (sequence) => {
    const { jobs, limits } = database.collections();
    await Promise.all([jobs.deleteMany({}), limits.deleteMany({})]);
    const processor = database.processor({ maxThreads: 4 });
    await processor.addJobFactories([...kinds]);
    const model = new Model();
    for (const [action, n] of sequence) {
      await actions[action]?.(model, processor, n);
      await expectNoLeak(model);
    }
    await expectAllToEnd(model, processor);
  });
  await fc.assert(property, { numRuns: RUNS });
});
