import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type Fairness } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { Gate } from '../jobs.js';

const database = useDatabase();

const input = z.object({ tenant: z.string(), weight: z.number().default(1) });

/** A worker that runs so many jobs at a time, and notes whose job starts. */
async function recording(maxThreads: number, fairness: Fairness<z.output<typeof input>>) {
  const started: string[] = [];
  const job = defineJob({
    name: 'import',
    input,
    fairness,
    run: async ({ input }) => void started.push(input.tenant),
  });
  const processor = database.processor({ maxThreads });
  await processor.addJobFactory(job);
  return { started, job, processor };
}

/** A definition of jobs that run until the gate opens. */
function waitingAtGate() {
  const gate = new Gate();
  const run = ({ signal }: { readonly signal: AbortSignal }) => gate.pass(signal);
  return { gate, definition: { name: 'import', input, run } };
}

/** How many jobs started until the last of a tenant did. */
function startsUntilDone(started: readonly string[], tenants: readonly string[]): number {
  return 1 + Math.max(...tenants.map((tenant) => started.lastIndexOf(tenant)));
}

test('many jobs of one tenant do not hold up those that other tenants add later', async () => {
  const { started, job, processor } = await recording(4, { key: 'tenant' });
  const jobs = (tenant: string, count: number) =>
    Array.from({ length: count }, () => ({ job, input: { tenant } }));
  await processor.addJobs(jobs('large', 400));
  const others = ['a', 'b', 'c', 'd', 'e'];
  for (const tenant of others) await processor.addJobs(jobs(tenant, 20));
  expect(await processor.drain()).toMatchObject({ completed: 500 });
  // With turns one by one, and nobody ahead, 6 * 20.
  expect(startsUntilDone(started, others)).toBeLessThan(1.4 * 120);
});

test('a key of weight 3 starts three jobs while another starts one', async () => {
  const { started, job, processor } = await recording(1, { key: 'tenant', weight: ({ weight }) => weight });
  const weights = [
    ['one', 1],
    ['three', 3],
  ] as const;
  const jobs = weights.flatMap(([tenant, weight]) =>
    Array.from({ length: 60 }, () => ({ job, input: { tenant, weight } })),
  );
  await processor.addJobs(jobs);
  expect(await processor.drain()).toMatchObject({ completed: 120 });
  // Exactly three to one would be 80, and without weights 120.
  expect(startsUntilDone(started, ['three'])).toBeLessThan(100);
});

test('a limit on how many run at a time holds beside fair turns', async () => {
  let running = 0;
  let most = 0;
  const job = defineJob({
    name: 'import',
    input,
    fairness: { key: 'tenant' },
    concurrency: { limit: 3 },
    run: async () => {
      running += 1;
      most = Math.max(most, running);
      await turnOfEventLoop();
      running -= 1;
    },
  });
  const processors = [1, 2].map(() => database.processor({ maxThreads: 8 }));
  for (const processor of processors) await processor.addJobFactory(job);
  const tenants = ['a', 'b', 'c', 'd'].flatMap((tenant) => Array.from({ length: 15 }, () => tenant));
  await processors[0]?.addJobs(tenants.map((tenant) => ({ job, input: { tenant } })));
  await Promise.all(processors.map((processor) => processor.drain()));
  await processors[0]?.drain();
  expect(most).toBeLessThanOrEqual(3);
  expect(await database.collections().jobs.countDocuments({ status: 'completed' })).toBe(60);
});

test.each([
  [{ key: 'nobody' }, 'fairness.key'],
  [{ key: 'tenant', weight: 'tenant' }, 'fairness.weight'],
  [{ key: 'tenant', weight: () => 101 }, 'fairness.weight'],
])('an input without its key or weight is refused: %j', async (fairness, path) => {
  const job = defineJob({ name: 'import', input, fairness, run: async () => {} });
  const processor = database.processor();
  await processor.addJobFactory(job);
  await expect(processor.addJob(job, { tenant: 'a' })).rejects.toMatchObject({ issues: [{ path }] });
  await expect(processor.addJobs([{ job, input: { tenant: 'a' } }])).rejects.toThrow(path);
  expect(await database.collections().jobs.countDocuments()).toBe(0);
});

test.each([[{ key: 'tenant', weight: 0 }], [{ key: 'tenant', weight: 101 }], [{}]])(
  'a definition with bad fairness is refused: %j',
  (fairness) => {
    const definition = { name: 'import', input, fairness, run: async () => {} };
    expect(() => Reflect.apply(defineJob, undefined, [definition])).toThrow(/fairness/);
  },
);

test('jobs that become due together take turns from when a worker meets them', async () => {
  const { started, job, processor } = await recording(2, { key: 'tenant' });
  const due = (tenant: string, count: number, at: number) =>
    Array.from({ length: count }, () => ({ job, input: { tenant }, options: { runAt: new Date(at) } }));
  await processor.addJobs([...due('large', 200, 0), ...due('small', 10, 1)]);
  expect(await processor.drain()).toMatchObject({ completed: 210, retried: 0 });
  expect(startsUntilDone(started, ['small'])).toBeLessThan(150);
});

test('a tenant who is alone gets all workers, and its jobs in line are ready', async () => {
  const { gate, definition } = waitingAtGate();
  const job = defineJob({ ...definition, fairness: { key: 'tenant' } });
  const processors = [1, 2, 3].map(() => database.processor({ maxThreads: 3 }));
  for (const processor of processors) await processor.addJobFactory(job);
  const [first] = processors;
  await first?.addJobs(Array.from({ length: 12 }, () => ({ job, input: { tenant: 'a' } })));
  expect(await first?.jobs.countReady()).toBe(12);
  const draining = processors.map((processor) => processor.drain());
  await eventually(() => expect(gate.arrived).toBe(9));
  gate.open();
  const summaries = await Promise.all(draining);
  expect(summaries.reduce((sum, { completed }) => sum + completed, 0)).toBe(12);
});

test('jobs that waited for a turn run beside each other once their kind takes no turns any more', async () => {
  const { gate, definition } = waitingAtGate();
  const before = defineJob({ ...definition, fairness: { key: 'tenant' } });
  const old = database.processor();
  await old.addJobFactory(before);
  await old.addJobs(Array.from({ length: 6 }, () => ({ job: before, input: { tenant: 'a' } })));
  const processor = database.processor({ maxThreads: 6 });
  await processor.addJobFactory(defineJob(definition));
  const draining = processor.drain({ linger: '1s' });
  await eventually(() => expect(gate.arrived).toBe(6));
  gate.open();
  expect(await draining).toMatchObject({ completed: 6 });
});
