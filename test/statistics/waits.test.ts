import { expect, test } from 'vitest';
import { z } from 'zod';
import { openCollections } from '../../src/collections/collections.js';
import { defineJob, type ProcessorEvents, type RemoteProcessor } from '../../src/index.js';
import { addCounts } from '../../src/statistics/add-counts.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { anything } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const HOUR_MS = 3_600_000;

const input = z.object({ customer: z.string() });
const imports = defineJob({
  name: 'import',
  input,
  concurrency: [
    { key: 'customer', limit: 1, name: 'by.customer' },
    { limit: 9, name: 'in-all' },
  ],
  run: () => {},
});

/** Lets all jobs in line wait for an hour longer. */
function anHourAgo() {
  return database.db
    .collection(collectionNames.jobs)
    .updateMany({ blockedBy: { $exists: true } }, [
      { $set: { picked: { $subtract: ['$picked', HOUR_MS] }, queued: { $subtract: ['$queued', HOUR_MS] } } },
    ]);
}

function writesOfStatistics(work: () => Promise<unknown>) {
  return database
    .commandsDuring(work)
    .then((all) =>
      all
        .filter(({ command }) => command.findAndModify === collectionNames.statistics)
        .map(({ command }) => command),
    );
}

/** Two customers with two jobs each, of which the second waits for an hour. */
async function waiting(processor: RemoteProcessor) {
  await processor.addJobFactory(imports);
  const customers = ['a', 'b', 'a', 'b'];
  await processor.addJobs(customers.map((customer) => ({ name: 'import', input: { customer } })));
  const held = [await processor.pullNextJob(), await processor.pullNextJob()];
  expect(await processor.pullNextJob()).toBeUndefined();
  await anHourAgo();
  return held.flatMap((job) => job ?? []);
}

test('waits for places are counted by name of limit, each from when the job came to it', async () => {
  const processor = database.processor();
  const told: ProcessorEvents['jobWaited'][] = [];
  processor.on('jobWaited', (event) => told.push(event));
  for (const job of await waiting(processor)) await processor.completeJob(job);
  const writes = await writesOfStatistics(() => processor.drain());

  expect(writes).toHaveLength(1);
  const [longest, other, ...more] = await processor.statistics.waits();
  expect(more).toEqual([]);
  expect(longest).toMatchObject({ limit: 'by.customer', waits: 2 });
  expect(longest?.waitedMs).toBeGreaterThanOrEqual(2 * HOUR_MS);
  expect(other).toMatchObject({ limit: 'in-all', waits: 2 });
  expect(other?.waitedMs).toBeLessThan(HOUR_MS);
  expect(told.map(({ limitKey }) => limitKey).sort()).toEqual([
    ...['by.customer=a', 'by.customer=b'],
    ...['in-all', 'in-all'],
  ]);
});

test('waits that a person ends are counted at once', async () => {
  const processor = database.processor();
  await waiting(processor);
  await processor.limits.set('by.customer=a', { max: 2 });
  const waits = await database.processor().statistics.waits();
  expect(waits.find(({ limit }) => limit === 'by.customer')).toMatchObject({ waits: 1 });
});

test('jobs of a rate limit count as long as they are put off', async () => {
  const calls = defineJob({ name: 'call', rateLimit: { limit: 1, period: '1h' }, run: () => {} });
  const processor = database.processor({ maxThreads: 3 });
  await processor.addJobFactory(calls);
  await processor.addJobs(Array.from({ length: 3 }, () => ({ name: 'call' })));
  await processor.drain();
  const [only] = await processor.statistics.waits();
  expect(only).toMatchObject({ limit: 'rate call', waits: 2 });
  expect(only?.waitedMs).toBeGreaterThan(2.9 * HOUR_MS);
  expect(only?.waitedMs).toBeLessThanOrEqual(3 * HOUR_MS);
});

test('jobs of a strict order count as long as they are in line', async () => {
  const events = defineJob({ name: 'event', ordering: {}, run: () => {} });
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactory(events);
  await processor.addJobs(Array.from({ length: 3 }, () => ({ name: 'event' })));
  await anHourAgo();
  await processor.drain();
  const [only] = await processor.statistics.waits();
  expect(only).toMatchObject({ limit: 'order event', waits: 3 });
  expect(only?.waitedMs).toBeGreaterThanOrEqual(2 * HOUR_MS);
});

test('without waits, nothing about limits is written', async () => {
  const processor = database.processor();
  await processor.addJobFactory(anything);
  await processor.addJob('anything');
  const [write] = await writesOfStatistics(() => processor.drain());
  expect(JSON.stringify(write)).toContain('_anything');
  expect(JSON.stringify(write)).not.toMatch(/limit/i);
  expect(await processor.statistics.waits()).toEqual([]);
});

test('a minute keeps at most 100 names of limits apart', async () => {
  const { statistics } = openCollections(database.db, database.processor().collectionPrefix);
  const now = Number((await database.db.command({ hello: 1 })).localTime);
  const minute = new Date(now - (now % 60_000));
  const wait = { waits: 1, waitedMs: 5 };
  for (const from of [0, 60]) {
    const names = Array.from({ length: 80 }, (_, n) => `limit-${from + n}`);
    const byLimit = new Map(names.map((name) => [name, wait]));
    await addCounts(statistics, minute, { total: {}, byName: new Map(), byLimit });
  }
  const waits = await database.processor().statistics.waits();
  expect(waits).toHaveLength(80);
  expect(waits.filter(({ waits }) => waits === 2)).toHaveLength(20);
});

test.each([{ since: 0 }, { since: '9 days' }])('%o is refused', async (options) => {
  await expect(database.processor().statistics.waits(options)).rejects.toMatchObject({
    code: 'validation_failed',
    issues: [{ path: 'since' }],
  });
});
