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
