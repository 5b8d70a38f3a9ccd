import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, RemoteException } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

/** Counts how many jobs of each tenant run at a time. */
class Running {
  readonly #now = new Map<string, number>();
  readonly most = new Map<string, number>();
  ended = 0;

  async during(key: string, work: () => Promise<unknown>): Promise<void> {
    const now = (this.#now.get(key) ?? 0) + 1;
    this.#now.set(key, now);
    this.most.set(key, Math.max(now, this.most.get(key) ?? 0));
    try {
      await work();
    } finally {
      this.#now.set(key, (this.#now.get(key) ?? 0) - 1);
      this.ended += 1;
    }
  }
}

const inputs = (tenants: number, each: number) =>
  Array.from({ length: tenants * each }, (_, n) => ({ tenant: `t${Math.floor(n / each)}`, n }));

test('jobs of a key never run more at a time than its limit, and all run', async () => {
  const running = new Running();
  const job = defineJob({
    name: 'import',
    input: z.object({ tenant: z.string(), n: z.number() }),
    concurrency: { key: 'tenant', limit: 2 },
    run: ({ input }) => running.during(input.tenant, () => wait(3)),
  });
  const processor = database.processor({ maxThreads: 10 });
  await processor.addJobFactory(job);
  await processor.addJobs(inputs(4, 30).map((input) => ({ job, input })));
  const summary = await processor.drain();
  expect(summary).toMatchObject({ completed: 120, errors: 0, retried: 0 });
  expect(running.ended).toBe(120);
  for (const most of running.most.values()) expect(most).toBeLessThanOrEqual(2);
  expect(await database.collections().jobs.countDocuments({ retryCounter: { $ne: 1 } })).toBe(0);
});

test('a limit of one with several workers, and a limit for all jobs of the kind beside one by key', async () => {
  const running = new Running();
  const job = defineJob({
    name: 'import',
    input: z.object({ tenant: z.string(), n: z.number() }),
    concurrency: [{ limit: 3 }, { key: ({ tenant }) => tenant, limit: 1 }],
    maxRetries: 2,
    retryDelay: 0,
    run: ({ input, attempt }) =>
      running.during('all', () =>
        running.during(input.tenant, async () => {
          await wait(2);
          if (attempt === 1 && input.n % 7 === 0) throw new Error('again');
          if (input.n % 11 === 0) throw new RemoteException('no');
        }),
      ),
  });
  const processors = [1, 2, 3].map(() => database.processor({ maxThreads: 10 }));
  for (const processor of processors) await processor.addJobFactory(job);
  await processors[0]?.addJobs(inputs(6, 20).map((input) => ({ job, input })));
  await Promise.all(processors.map((processor) => processor.drain()));
  const left = await processors[0]?.drain();
  expect(left?.claimed).toBe(0);
  const { jobs } = database.collections();
  expect(await jobs.countDocuments({ status: { $nin: ['completed', 'error'] } })).toBe(0);
  expect(running.most.get('all')).toBeLessThanOrEqual(3);
  for (const [key, most] of running.most) if (key !== 'all') expect(most).toBe(1);
});

test('a limit by key and one for all of the same name: as many run as the larger one says', async () => {
  const job = defineJob({
    name: 'import',
    input: z.object({ tenant: z.string(), n: z.number() }),
    concurrency: [{ key: 'tenant', limit: 1 }, { limit: 3 }],
    run: async () => {},
  });
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactory(job);
  await processor.addJobs(inputs(9, 1).map((input) => ({ job, input })));
  const pull = async () => {
    const pulled = [];
    for (let next = await processor.pullNextJob(); next; next = await processor.pullNextJob())
      pulled.push(next);
    return pulled;
  };
  for (let round = 0; round < 3; round += 1) {
    const three = await pull();
    expect(three).toHaveLength(3);
    for (const each of three) await processor.completeJob(each);
  }
});

test('kinds that share a limit take their turns, whatever other limits they have', async () => {
  const input = z.object({});
  const run = async () => {};
  const one = defineJob({ name: 'one', input, concurrency: { name: 'api', limit: 1 }, run });
  const two = defineJob({
    name: 'two',
    input,
    concurrency: [
      { name: 'api', limit: 1 },
      { name: 'zoo', limit: 5 },
    ],
    run,
  });
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactories([one, two]);
  for (const job of [one, two, one, one]) await processor.addJob(job, {});
  await processor.jobs.list();
  const order: string[] = [];
  for (let next = await processor.pullNextJob(); next; next = await processor.pullNextJob()) {
    while (await processor.pullNextJob()) throw new Error('Two at a time.');
    order.push(next.jobName);
    await processor.completeJob(next);
  }
  expect(order).toEqual(['one', 'two', 'one', 'one']);
});

test('a deployment that adds a limit lets no two jobs wait for each other', async () => {
  const input = z.object({ key: z.string() });
  const run = async () => {};
  const before = defineJob({ name: 'import', input, concurrency: { limit: 1 }, run });
  const after = defineJob({
    name: 'import',
    input,
    concurrency: [{ limit: 1 }, { key: 'key', limit: 1 }],
    run,
  });
  const old = database.processor({ maxThreads: 1 });
  await old.addJobFactory(before);
  const now = database.processor({ maxThreads: 1 });
  await now.addJobFactory(after);
  for (const id of ['first', 'second', 'third']) await old.addJob(before, { key: 'x' }, { id });
  const first = (await old.pullNextJob()) ?? expect.fail();
  await old.pullNextJob();
  await old.completeJob(first); // The second job has the place of the old limit.
  await database.collections().jobs.updateOne({ _id: 'third' }, { $set: { priority: 9 } });
  const summary = await now.drain();
  await database.collections().limits.updateMany({}, { $set: { next: new Date(0) } });
  await now.recoverJobs();
  const rest = await now.drain();
  expect(summary.completed + rest.completed).toBe(2);
});

test('an input that gives other limits at the attempt than at the gate is tried again', async () => {
  let asked = 0;
  const job = defineJob({
    name: 'import',
    concurrency: { limit: 1, key: () => (asked++ % 2 === 0 ? 'a' : 'b') },
    retryDelay: 0,
    maxRetries: 1,
    run: async () => {},
  });
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactory(job);
  await processor.addJob(job);
  asked = 0;
  expect(await processor.drain()).toMatchObject({ errors: 1 });
});
