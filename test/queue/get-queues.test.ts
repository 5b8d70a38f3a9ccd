import { expect, test } from 'vitest';
import type { Queue } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const jobs = () => database.db.collection<{ _id: string }>(collectionNames.jobs);

async function setUp() {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  return processor;
}

/** So many jobs wait in a queue. */
async function fill(queue: string, count: number, runAt: Date): Promise<void> {
  const waiting = Array.from({ length: count }, (_, n) => ({
    _id: `${queue} ${n}`,
    jobName: 'echo',
    queue,
    priority: n % 10,
    status: 'queued',
    claimable: true,
    runAt,
  }));
  await jobs().insertMany(waiting);
}

const nobody = { count: 0, isCapped: false };
const some = (count: number) => ({ count, isCapped: false });

test('queues that have queued jobs, and those that are paused, with what waits in them', async () => {
  const processor = await setUp();
  await processor.addJob('echo', {}, { queue: 'done' });
  await processor.processNextJob();
  await processor.addJob('echo', {}, { id: 'first', queue: 'mail', runAt: new Date(2_000_000) });
  await processor.addJob('echo', {}, { queue: 'mail', runAt: new Date(1_000_000) });
  await processor.addJob('echo', {}, { queue: 'mail', priority: 9 });
  await processor.addJob('echo', {}, { queue: 'mail', delay: '1h' });
  await processor.addJob('echo', {}, { queue: 'later', delay: '1h' });
  await processor.queues.pause('mail');
  await processor.queues.pause('empty');
  const paused = expect.any(Date);
  const first = await processor.getJob('first');
  expect((await processor.queues.list()).queues).toEqual([
    { name: 'empty', ready: nobody, delayed: nobody, oldest: null, paused },
    { name: 'later', ready: nobody, delayed: some(1), oldest: null, paused: null },
    { name: 'mail', ready: some(3), delayed: some(1), oldest: first?.queued, paused },
  ]);
});

test('counting stops at 10,000', async () => {
  const processor = await setUp();
  await fill('ready', 10_001, new Date(0));
  await fill('later', 10_000, new Date('2999-01-01'));
  expect((await processor.queues.list()).queues).toMatchObject([
    { name: 'later', ready: nobody, delayed: { count: 10_000, isCapped: false } },
    { name: 'ready', ready: { count: 10_000, isCapped: true }, delayed: nobody },
  ]);
});

test('2,000 queues are listed by as many commands as 10 are', async () => {
  const processor = await setUp();
  const waiting = Array.from({ length: 2000 }, (_, n) => ({
    _id: String(n),
    jobName: 'echo',
    queue: `q${n}`,
    priority: 0,
    status: 'queued',
    claimable: true,
    runAt: new Date(n),
  }));
  await jobs().insertMany(waiting);
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const commands = await database.commandsDuring(async () => {
      const page = await processor.queues.list({ limit: 1000, cursor });
      names.push(...page.queues.map(({ name }) => name));
      cursor = page.cursor;
    });
    expect(commands.length).toBeLessThanOrEqual(3);
  } while (cursor !== undefined);

  expect(names).toEqual(waiting.map(({ queue }) => queue).sort());
});

test('pages go on behind a queue of many jobs, and find paused queues in between, each once', async () => {
  const processor = await setUp();
  await fill('a', 3, new Date(0));
  await fill('large', 10_001, new Date(0));
  await fill('small', 1, new Date('2999-01-01'));
  await fill('\u{10000} last', 1, new Date(0));
  for (const name of ['b', 'large', 'm', '\uffff', 'z']) await processor.queues.pause(name);

  const found: Queue[] = [];
  let cursor: string | undefined;
  do {
    const page = await processor.queues.list({ limit: 2, cursor });
    expect(page.queues.length).toBeLessThanOrEqual(2);
    found.push(...page.queues);
    cursor = page.cursor;
  } while (cursor !== undefined);

  expect(found.map(({ name }) => name)).toEqual([
    'a',
    'b',
    'large',
    'm',
    'small',
    'z',
    '\uffff',
    '\u{10000} last',
  ]);
  expect(found[2]).toMatchObject({ ready: { count: 10_000, isCapped: true }, paused: expect.any(Date) });
  expect(found[4]).toMatchObject({ ready: nobody, delayed: some(1), oldest: null, paused: null });
});
