import { expect, test } from 'vitest';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { examined } from './examined.js';

const database = useDatabase();
const jobs = () => database.db.collection<{ _id: string }>('jobs');

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
  await processor.addJob('echo', {}, { queue: 'mail', runAt: new Date(2_000_000) });
  await processor.addJob('echo', {}, { queue: 'mail', runAt: new Date(1_000_000) });
  await processor.addJob('echo', {}, { queue: 'mail', priority: 9 });
  await processor.addJob('echo', {}, { queue: 'mail', delay: '1h' });
  await processor.addJob('echo', {}, { queue: 'later', delay: '1h' });
  await processor.pauseQueue('mail');
  await processor.pauseQueue('empty');
  const paused = expect.any(Date);
  expect(await processor.getQueues()).toEqual([
    { name: 'empty', ready: nobody, delayed: nobody, oldest: null, paused },
    { name: 'later', ready: nobody, delayed: some(1), oldest: null, paused: null },
    { name: 'mail', ready: some(3), delayed: some(1), oldest: new Date(1_000_000), paused },
  ]);
});

test('counting stops at 10,000', async () => {
  const processor = await setUp();
  await fill('ready', 10_001, new Date(0));
  await fill('later', 10_000, new Date('2999-01-01'));
  expect(await processor.getQueues()).toMatchObject([
    { name: 'later', ready: nobody, delayed: { count: 10_000, isCapped: false } },
    { name: 'ready', ready: { count: 10_000, isCapped: true }, delayed: nobody },
  ]);
});

test('finding them, and what waits longest, reads next to nothing', async () => {
  const processor = await setUp();
  await fill('a', 2000, new Date(0));
  await fill('b', 2000, new Date('2999-01-01'));
  const commands = await database.commandsDuring(() => processor.getQueues());
  const searches = await examined(database.db, commands);
  expect(searches).toHaveLength(5); // The two, that there is no third, and the oldest of each.
  for (const { keys, documents } of searches) {
    expect(keys).toBeLessThanOrEqual(21);
    expect(documents).toBeLessThanOrEqual(11);
  }
});
