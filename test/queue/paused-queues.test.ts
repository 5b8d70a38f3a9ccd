import { describe, expect, onTestFinished, test } from 'vitest';
import { defineJob, type JobsFilter, type RemoteProcessor, ValidationError } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, gatedJob } from '../jobs.js';
import { passTime } from '../pass-time.js';
import { examined } from './examined.js';

const database = useDatabase({ monitorCommands: true });

async function setUp(options = {}) {
  const processor = database.processor(options);
  await processor.addJobFactory(echo);
  return processor;
}

async function idsOf(processor: RemoteProcessor, filter: JobsFilter): Promise<string[]> {
  return (await processor.getJobs(filter)).map(({ id }) => id);
}

describe('the jobs of a paused queue', () => {
  test('are not taken, by no way there is, while those of others are; resumed, they are', async () => {
    const other = await setUp();
    await other.addJob('echo', {}, { id: 'before', queue: 'mail', priority: 9 });
    await other.queues.pause('mail');
    const processor = await setUp();
    await processor.addJob('echo', {}, { id: 'after', queue: 'mail', priority: 9 });
    await processor.addJobs([
      { name: 'echo', input: {} },
      { name: 'echo', input: {} },
      { name: 'echo', input: {} },
    ]);

    expect(await processor.pullNextJob()).toMatchObject({ queue: 'default' });
    expect(await processor.processNextJob()).toBe(true);
    expect(await processor.drain()).toMatchObject({ claimed: 1 });
    expect(await processor.pullNextJob()).toBeUndefined();
    expect(await processor.processNextJob()).toBe(false);
    expect(await idsOf(processor, { status: 'queued' })).toEqual(['before', 'after']);

    await other.queues.resume('mail');
    expect(await processor.drain()).toMatchObject({ claimed: 2, completed: 2 });
  });

  test('are left by a worker that is limited to queues, which takes its others', async () => {
    const processor = await setUp({ queues: ['mail', 'slow'] });
    for (const queue of ['mail', 'slow', 'default']) await processor.addJob('echo', {}, { id: queue, queue });
    await processor.queues.pause('mail');
    expect(await processor.drain()).toMatchObject({ claimed: 1 });
    await processor.queues.pause('slow');
    await processor.addJob('echo', {}, { queue: 'slow' });
    expect(await processor.drain()).toMatchObject({ claimed: 0 });
    expect(await idsOf(processor, { status: 'completed' })).toEqual(['slow']);
  });

  test('go on when they run, and come back into the queue when their worker is lost', async () => {
    const processor = await setUp({ maxThreads: 2 });
    const { gate, factory } = gatedJob();
    await processor.addJobFactory(factory);
    await processor.addJob('echo', {}, { id: 'lost', queue: 'mail' });
    await processor.pullNextJob();
    await processor.addJob('gated', undefined, { id: 'runs', queue: 'mail' });
    const draining = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(1));
    await processor.queues.pause('mail');
    gate.open();
    await draining;
    expect(await processor.getJobStatus('runs')).toBe('completed');

    await database.db
      .collection<{ _id: string }>(collectionNames.jobs)
      .updateOne({ _id: 'lost' }, { $set: { 'lease.expires': new Date(0) } });
    expect(await processor.recoverJobs()).toBe(1);
    expect(await processor.drain()).toMatchObject({ claimed: 0 });
    expect(await processor.getJobStatus('lost')).toBe('queued');
  });

  test('are not waited for by a worker that has nothing else to do', async () => {
    const processor = await setUp();
    await processor.addJob('echo', {}, { queue: 'mail', delay: '1h' });
    await processor.queues.pause('mail');
    expect(await processor.drain({ linger: '10 days' })).toMatchObject({ claimed: 0 });
  });

  test('do not count as waiting for workers', async () => {
    const processor = await setUp();
    await processor.addJob('echo', {}, { queue: 'mail', priority: 9 });
    await processor.addJob('echo', {}, { id: 'waits', queue: 'slow' });
    await processor.queues.pause('mail');
    expect(await processor.jobs.oldestWaiting()).toMatchObject([{ id: 'waits' }]);
    expect(await processor.jobs.countReady()).toBe(1);
    expect(await processor.drain({ signal: AbortSignal.abort() })).toMatchObject({ remaining: 1 });
    await processor.queues.pause('slow');
    expect(await processor.jobs.oldestWaiting()).toEqual([]);
    expect(await processor.jobs.countReady()).toBe(0);
  });
});

describe('a worker that is under way', () => {
  /** A worker that looks for jobs again and again, while one of its jobs runs; and somebody else. */
  async function underWay() {
    const worker = await setUp({ maxThreads: 2 });
    const { gate, factory } = gatedJob();
    await worker.addJobFactory(factory);
    await worker.addJob('gated');
    const draining = worker.drain({ pollInterval: 20 });
    await eventually(() => expect(gate.arrived).toBe(1));
    onTestFinished(async () => {
      gate.open();
      await draining;
    });
    return setUp();
  }

  test('takes no more of what was paused meanwhile', async () => {
    const other = await underWay();
    await other.queues.pause('mail');
    passTime(5_000);
    const addAndWait = async (id: string) => {
      await other.addJob('echo', {}, { id });
      await eventually(async () => expect(await other.getJobStatus(id)).toBe('completed'));
    };
    await addAndWait('by the claim that may have been under way');
    await other.addJob('echo', {}, { id: 'paused', queue: 'mail', priority: 9 });
    await addAndWait('by a later claim');
    expect(await other.getJobStatus('paused')).toBe('queued');
  });

  test('takes what was resumed, and what came into queues that are new', async () => {
    const somebody = await setUp();
    await somebody.queues.pause('mail');
    await somebody.addJob('echo', {}, { id: 'resumed', queue: 'mail' });
    const other = await underWay();
    await other.addJob('echo', {}, { id: 'new', queue: 'new' });
    passTime(5_000);
    await eventually(async () => expect(await other.getJobStatus('new')).toBe('completed'));
    expect(await other.getJobStatus('resumed')).toBe('queued');
    await other.queues.resume('mail');
    passTime(10_000);
    await eventually(async () => expect(await other.getJobStatus('resumed')).toBe('completed'));
  });
});

describe('what it costs', () => {
  const names = (commands: readonly { commandName: string }[]) =>
    commands.map(({ commandName }) => commandName);

  test('nothing, while nothing is paused: an idle invocation sends three commands, a pull that finds nothing two', async () => {
    const processor = await setUp();
    await processor.processNextJob(); // Connected, and whatever is read once.
    const idle = await database.commandsDuring(() => processor.drain({ linger: '1s' }));
    expect(names(idle)).toEqual(['aggregate', 'find', 'find']);
    const fresh = await setUp();
    const one = await database.commandsDuring(() => fresh.processNextJob());
    expect(names(one)).toEqual(['find', 'findAndModify', 'aggregate']);
    expect(names(await database.commandsDuring(() => fresh.pullNextJob()))).toEqual([
      'findAndModify',
      'findAndModify',
    ]);
    passTime(5_000);
    expect(names(await database.commandsDuring(() => fresh.pullNextJob()))).toEqual([
      'find',
      'findAndModify',
      'findAndModify',
    ]);
  });

  test('a short read for each queue, while something is paused, and none of what waits in it', async () => {
    const processor = await setUp({ maxThreads: 5 });
    await processor.addJobs(
      Array.from({ length: 1000 }, (_, n) => ({
        name: 'echo',
        input: {},
        options: { queue: 'paused', priority: n % 10, ...(n % 2 === 0 && { delay: '1h' }) },
      })),
    );
    for (const queue of ['a', 'b', 'z']) await processor.addJob('echo', {}, { queue });
    await processor.queues.pause('paused');
    let claimed = 0;
    const reads = await database.commandsDuring(async () => {
      await processor.jobs.oldestWaiting();
      await processor.jobs.countReady();
    });
    const commands = await database.commandsDuring(async () => {
      ({ claimed } = await processor.drain({ linger: 10 }));
    });
    expect(claimed).toBe(3);
    // The jobs are done: what is explained finds nothing, however hard it looks.
    const searches = await examined(database.db, [...reads, ...commands]);
    expect(searches.length).toBeGreaterThan(8);
    for (const { keys, documents } of searches) {
      expect(keys).toBeLessThanOrEqual(21);
      expect(documents).toBeLessThanOrEqual(3);
    }
  });
});

test('of more queues than a claim can name, none is forgotten, though nothing is due in those before it', async () => {
  const processor = await setUp();
  const queues = Array.from({ length: 205 }, (_, n) => `queue ${String(n).padStart(3, '0')}`);
  const options = { delay: '1h' };
  await processor.addJobs(
    queues.map((queue) => ({ name: 'echo', input: {}, options: { queue, ...options } })),
  );
  await processor.addJob('echo', {}, { queue: 'the last' });
  await processor.queues.pause('queue 000');
  expect(await processor.drain()).toMatchObject({ claimed: 0 });
  expect(await processor.drain()).toMatchObject({ claimed: 1 });
});

describe('pausing', () => {
  test('again changes nothing, nor does resuming what is not paused', async () => {
    const processor = await setUp();
    await processor.queues.resume('mail');
    await processor.queues.pause('mail');
    const [first] = (await processor.queues.list()).queues;
    await Promise.all([processor.queues.pause('mail'), processor.queues.pause('mail')]);
    expect((await processor.queues.list()).queues).toEqual([first]);
    await processor.queues.resume('mail');
    await processor.queues.resume('mail');
    expect((await processor.queues.list()).queues).toEqual([]);
  });

  test.each(['$where', '$$NOW', 'a.b', '{"$ne":1}', 'ü 例'])('takes a name for a name: %j', async (queue) => {
    const processor = await setUp();
    await processor.addJob('echo', {}, { id: 'paused', queue });
    await processor.addJob('echo', {}, { id: 'open' });
    await processor.queues.pause(queue);
    expect(await processor.drain()).toMatchObject({ claimed: 1 });
    expect((await processor.queues.list()).queues).toMatchObject([{ name: queue, paused: expect.any(Date) }]);
    await processor.queues.resume(queue);
    expect(await processor.drain()).toMatchObject({ claimed: 1 });
  });

  test.each(['', 'a\0', '\ud800', 'x'.repeat(201), { $ne: '' }, null, undefined])(
    'refuses %j',
    async (name) => {
      const processor = await setUp();
      // @ts-expect-error some are no text
      await expect(processor.queues.pause(name)).rejects.toThrow(ValidationError);
      // @ts-expect-error some are no text
      await expect(processor.queues.resume(name)).rejects.toThrow(ValidationError);
      expect((await processor.queues.list()).queues).toEqual([]);
    },
  );
});

test('a job may pause its own queue, as one that is told that a service is down does', async () => {
  const processor = await setUp({ maxThreads: 1 });
  const failing = defineJob({
    name: 'mail',
    queue: 'mail',
    run: ({ processor: own }) => own.queues.pause('mail'),
  });
  await processor.addJobFactory(failing);
  await processor.addJob('mail');
  await processor.addJob('mail');
  expect(await processor.drain()).toMatchObject({ claimed: 1, completed: 1 });
});
