import type { CommandSucceededEvent } from 'mongodb';
import { expect, test } from 'vitest';
import { defineJob, Snooze } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

async function setup() {
  const processor = database.processor({ maxThreads: 3 });
  await processor.addJobFactory(echo);
  return processor;
}

const lateness = (job: { readonly started?: Date; readonly runAt: Date } | undefined) =>
  Number(job?.started) - Number(job?.runAt);

test('a worker without work waits for each next job that is due in time', async () => {
  const processor = await setup();
  const delays = [300, 900, '1h'] as const;
  const ids: string[] = [];
  for (const delay of delays) ids.push(await processor.addJob('echo', {}, { delay }));
  expect(await processor.drain({ linger: '5m' })).toMatchObject({ claimed: 2, completed: 2 });
  for (const id of ids.slice(0, 2)) {
    expect(lateness(await processor.getJob(id))).toBeGreaterThanOrEqual(0);
  }
});

test('it waits for a job that it put off itself, and for one that a job added', async () => {
  const processor = await setup();
  let attempts = 0;
  const snoozing = defineJob({
    name: 'snoozing',
    run: async () => {
      attempts += 1;
      if (attempts === 1) throw new Snooze(400);
      await processor.addJob('echo', {}, { delay: 400 });
    },
  });
  await processor.addJobFactory(snoozing);
  await processor.addJob('snoozing');
  expect(await processor.drain({ linger: '5m' })).toMatchObject({ claimed: 3, snoozed: 1, completed: 2 });
});

test('the next job is the one that is due first, whatever its priority', async () => {
  const processor = await setup();
  const first = await processor.addJob('echo', {}, { delay: 300, priority: 0 });
  const second = await processor.addJob('echo', {}, { delay: '4m', priority: 9 });
  const stop = new AbortController();
  const draining = processor.drain({ linger: '5m', signal: stop.signal });
  await eventually(async () => expect(await processor.getJobStatus(first)).toBe('completed'));
  expect(await processor.getJobStatus(second)).toBe('queued');
  stop.abort();
  expect(await draining).toMatchObject({ claimed: 1, completed: 1 });
});

test.each([
  ['is not told to', {}],
  ['knows of a job only that is due too late', { linger: 300 }],
  ['has too little time until its deadline', { linger: '1h', deadline: new Date(Date.now() + 500) }],
])('a worker that %s does not wait', async (_, options) => {
  const processor = await setup();
  await processor.addJob('echo', {}, { delay: '1m' });
  expect(await processor.drain(options)).toMatchObject({ claimed: 0 });
});

test.each([
  ['of another name', { name: 'unknown', options: {} }],
  ['of another queue', { name: 'echo', options: { queue: 'mail' } }],
])('a job %s is not waited for', async (_, { name, options }) => {
  await (await setup()).addJobFactory('unknown', echo);
  const worker = database.processor({ queues: ['default'] });
  await worker.addJobFactory(echo);
  await worker.addJob(name, {}, { ...options, delay: '1m' });
  expect(await worker.drain({ linger: '5m' })).toMatchObject({ claimed: 0 });
});

test('a job that becomes due while another runs is begun at its moment', async () => {
  const processor = await setup();
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await processor.addJobFactory(defineJob({ name: 'slow', run: () => released }));
  await processor.addJob('slow');
  const id = await processor.addJob('echo', {}, { delay: 300 });
  const draining = processor.drain({ linger: '10s' });
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('completed'));
  release();
  expect(await draining).toMatchObject({ completed: 2 });
});

test('a worker that waits ends at once when it is told to', async () => {
  const processor = await setup();
  const id = await processor.addJob('echo', {}, { delay: '30s' });
  const stop = new AbortController();
  const commands: string[] = [];
  const note = ({ commandName }: CommandSucceededEvent) => commands.push(commandName);
  database.client.on('commandSucceeded', note);
  const draining = processor.drain({ linger: '1m', signal: stop.signal });
  await eventually(async () => expect(commands.length).toBeGreaterThanOrEqual(3));
  stop.abort();
  expect(await draining).toMatchObject({ claimed: 0, remaining: 0 });
  database.client.off('commandSucceeded', note);
  expect(await processor.getJobStatus(id)).toBe('queued');
});

test('looking for the next job reads one key for each priority, however many wait', async () => {
  const processor = await setup();
  await processor.addJobs(
    Array.from({ length: 2000 }, (_, n) => ({
      name: 'echo',
      input: {},
      options: { delay: 600_000 + n, priority: n % 10 },
    })),
  );
  const found = await database.commandsDuring(() => processor.drain({ linger: 1000 }));
  expect(found.map(({ commandName }) => commandName)).toEqual(['aggregate', 'find', 'find']);
  const { filter, sort, projection, limit } = found[1]?.command ?? {};
  const { executionStats } = await database.db.command({
    explain: {
      find: collectionNames.jobs,
      filter: { ...filter, $expr: { $gt: ['$runAt', '$$NOW'] } },
      sort,
      projection,
      limit,
    },
    verbosity: 'executionStats',
  });
  expect(executionStats.nReturned).toBe(1);
  expect(executionStats.totalKeysExamined).toBeLessThanOrEqual(20);
  expect(executionStats.totalDocsExamined).toBeLessThanOrEqual(10);
});

test('of workers that wait alone one waits, and looks for new jobs; the others end, and it does not count', async () => {
  const processor = await setup();
  const later = await processor.addJob('echo', {}, { delay: '10m' });
  const stop = new AbortController();
  const options = { linger: '1h', lingersAlone: true, pollInterval: 50 } as const;
  const waiting = processor.drain({ ...options, signal: stop.signal });
  const { workers } = database.collections();
  await eventually(async () => expect(await workers.countDocuments()).toBe(1));

  expect(await processor.drain(options)).toMatchObject({ claimed: 0 });
  expect(await processor.workers.count()).toBe(0);
  expect((await processor.workers.list()).workers).toEqual([]);
  const other = database.processor();
  await other.addJobFactory(echo);
  const soon = await other.addJob('echo', {});
  await eventually(async () => expect(await processor.getJobStatus(soon)).toBe('completed'));

  stop.abort();
  expect(await waiting).toMatchObject({ completed: 1 });
  expect(await workers.countDocuments()).toBe(0);
  expect(await processor.getJobStatus(later)).toBe('queued');
});
