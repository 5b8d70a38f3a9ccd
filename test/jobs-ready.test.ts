import { describe, expect, test, vi } from 'vitest';
import { defineJob, type JobsReady, type RemoteProcessor, Snooze, ValidationError } from '../src/index.js';
import { silent, useDatabase } from './database.js';
import { eventually } from './eventually.js';
import { echo, failing, gatedJob } from './jobs.js';

const database = useDatabase();

const flaky = defineJob({
  name: 'flaky',
  retryDelay: '20s',
  run: () => {
    throw new Error('not yet');
  },
});
const patient = defineJob({
  name: 'patient',
  run: () => {
    throw new Snooze('30s');
  },
});

/** A processor, and what its kick was asked for. */
async function setup(options: Parameters<typeof database.processor>[0] = {}) {
  const asked: JobsReady[] = [];
  const kick = async (ready: JobsReady) => void asked.push(ready);
  const processor = database.processor({ kick, ...options });
  await processor.addJobFactories([echo, failing, flaky, patient]);
  return { processor, asked };
}

const now = { jobs: 1, dueInMs: [] };

/** In a while that is this long, or a little less: it began some time ago. */
const about = (ms: number) => ({
  asymmetricMatch: (value: number) => value <= ms && value > ms - 10_000,
});

describe('workers are asked for, once, by', () => {
  test.each<
    [
      what: string,
      before: (processor: RemoteProcessor) => Promise<string | undefined>,
      act: (processor: RemoteProcessor, id: string) => Promise<unknown>,
      expected?: object,
    ]
  >([
    ['addJob', async () => undefined, (processor) => processor.addJob('echo', {})],
    [
      'addJob with a moment that has passed',
      async () => undefined,
      (processor) => processor.addJob('echo', {}, { runAt: new Date(0) }),
    ],
    [
      'addJob with a delay',
      async () => undefined,
      (processor) => processor.addJob('echo', {}, { delay: '14m' }),
      { jobs: 0, dueInMs: [14 * 60_000] },
    ],
    [
      'addJob with a moment that will come',
      async () => undefined,
      (processor) => processor.addJob('echo', {}, { runAt: new Date(Date.now() + 60_000) }),
      { jobs: 0, dueInMs: [about(60_000)] },
    ],
    [
      'addJobs',
      async () => undefined,
      (processor) =>
        processor.addJobs(
          [0, 0, 0, 7000, 3_600_000].map((delay) => ({ name: 'echo', input: {}, options: { delay } })),
        ),
      { jobs: 3, dueInMs: [7000] },
    ],
    [
      'updateJob to an earlier moment',
      (processor) => processor.addJob('echo', {}, { delay: '1h' }),
      (processor, id) => processor.updateJob(id, { delay: 0 }),
    ],
    [
      'updateJob to another queue',
      (processor) => processor.addJob('echo', {}),
      (processor, id) => processor.updateJob(id, { queue: 'other' }),
    ],
    [
      'retryJob',
      async (processor) => {
        const id = await processor.addJob('failing');
        await processor.processNextJob();
        return id;
      },
      (processor, id) => processor.retryJob(id),
    ],
    [
      'resumeQueue',
      async (processor) => {
        await processor.queues.pause('default');
        return processor.addJob('echo', {});
      },
      (processor) => processor.queues.resume('default'),
    ],
    [
      'runNow',
      (processor) =>
        processor.addScheduler({ type: 'Delay', delay: '1h', jobName: 'echo', input: {}, active: false }),
      (processor, id) => processor.schedules.runNow(id),
    ],
    [
      'scheduleDueItems, also for what it makes ahead',
      async (processor) => {
        for (const at of [new Date(Date.now() - 60_000), new Date(Date.now() + 50_000)])
          await processor.addScheduler({ type: 'At', at, jobName: 'echo', input: {}, active: true });
        return undefined;
      },
      (processor) => processor.scheduleDueItems({ ahead: '70s' }),
      { jobs: 1, dueInMs: [about(50_000)] },
    ],
    [
      'scheduleNextJob',
      (processor) =>
        processor.addScheduler({ type: 'At', at: new Date(1), jobName: 'echo', input: {}, active: true }),
      (processor) => processor.scheduleNextJob(),
    ],
    [
      'a change of an item whose occurrence is due',
      (processor) =>
        processor.addScheduler({ type: 'At', at: new Date(1), jobName: 'echo', input: {}, active: true }),
      (processor, id) => processor.deactivateScheduler(id),
    ],
    [
      'a failed attempt',
      (processor) => processor.addJob('flaky'),
      (processor) => processor.drain(),
      { jobs: 0, dueInMs: [20_000] },
    ],
    [
      'a job that puts itself off',
      (processor) => processor.addJob('patient'),
      (processor) => processor.drain(),
      { jobs: 0, dueInMs: [30_000] },
    ],
    [
      'failJob',
      (processor) => processor.addJob('flaky'),
      async (processor) => {
        const job = await processor.pullNextJob();
        if (job) await processor.failJob(job, new Error('not yet'));
      },
      { jobs: 0, dueInMs: [20_000] },
    ],
    ['kick itself', async () => undefined, (processor) => processor.kick()],
  ])('%s', async (_, before, act, expected = now) => {
    const { processor, asked } = await setup();
    const id = (await before(processor)) ?? '';
    asked.length = 0;

    await act(processor, id);

    expect(asked).toEqual([expected]);
  });
});

test.each<[what: string, act: (processor: RemoteProcessor) => Promise<unknown>]>([
  ['a job that is due in an hour', (processor) => processor.addJob('echo', {}, { delay: '1h' })],
  ['a job that is refused', (processor) => processor.addJob('echo', 'no object')],
  ['a job that completes', (processor) => processor.processNextJob()],
  ['nothing', (processor) => processor.addJobs([])],
  ['a tick that makes nothing', (processor) => processor.scheduleDueItems()],
])('nobody is asked for %s', async (_, act) => {
  const { processor, asked } = await setup();
  await act(processor).catch((error: unknown) => expect(error).toBeInstanceOf(ValidationError));
  expect(asked).toEqual([]);
});

describe('nobody is asked for by', () => {
  test.each<
    [
      what: string,
      before: (processor: RemoteProcessor) => Promise<unknown>,
      act: (processor: RemoteProcessor) => Promise<unknown>,
    ]
  >([
    [
      'addJob of an id that is there',
      (processor) => processor.addJob('echo', {}, { id: 'one' }),
      (processor) => processor.addJob('echo', {}, { id: 'one' }),
    ],
    [
      'addJob of a unique key that is taken',
      (processor) => processor.addJob('echo', {}, { uniqueKey: 'one' }),
      (processor) => processor.addJob('echo', {}, { uniqueKey: 'one' }),
    ],
    ['addJobs of those that are there', (processor) => addSome(processor), (processor) => addSome(processor)],
    ['addJobs of none', async () => undefined, (processor) => processor.addJobs([])],
    [
      'the resuming of a queue that is open',
      (processor) => processor.addJob('echo', {}),
      (processor) => processor.queues.resume('default'),
    ],
    [
      'retryMany that finds none',
      (processor) => processor.addJob('echo', {}),
      (processor) => processor.jobs.retryMany({ status: 'error' }),
    ],
  ])('%s', async (_, before, act) => {
    const { processor, asked } = await setup();
    await before(processor);
    asked.length = 0;
    const told: string[] = [];
    for (const name of ['jobAdded', 'jobsReady'] as const) processor.on(name, () => told.push(name));

    await act(processor);

    expect(asked).toEqual([]);
    expect(told).toEqual([]);
  });

  const addSome = (processor: RemoteProcessor) =>
    processor.addJobs([
      { name: 'echo', input: {}, options: { id: 'one' } },
      { name: 'echo', input: {}, options: { id: 'two', uniqueKey: 'two' } },
    ]);
});

test('of jobs that are added again workers are asked for the new ones alone', async () => {
  const { processor, asked } = await setup();
  await processor.addJob('echo', {}, { id: 'old' });
  await processor.addJobs(['old', 'new', 'new'].map((id) => ({ name: 'echo', input: {}, options: { id } })));
  expect(asked).toEqual([now, now]);
});

test('what a transaction adds is not there yet: whoever commits it asks', async () => {
  const { processor, asked } = await setup();
  await database.client.withSession((session) =>
    session.withTransaction(async () => {
      await processor.addJob('echo', {}, { session });
      await processor.addJobs([{ name: 'echo', input: {} }], { session });
    }),
  );
  expect(asked).toEqual([]);
  await processor.kick();
  expect(asked).toEqual([now]);
});

test('a session without a transaction is no reason to wait', async () => {
  const { processor, asked } = await setup();
  await database.client.withSession((session) => processor.addJob('echo', {}, { session }));
  expect(asked).toEqual([now]);
});

describe('a kick that', () => {
  const throwing = () => {
    throw new Error('no worker');
  };
  test.each<[what: string, kick: () => Promise<void>]>([
    ['throws', throwing],
    ['rejects', async () => throwing()],
    ['never answers', () => new Promise(() => {})],
  ])('%s fails no add, and is told', async (_, kick) => {
    const warn = vi.fn();
    const { processor } = await setup({ kick, log: { ...silent, warn } });
    const id = await processor.addJob('echo', {});
    expect(await processor.getJobStatus(id)).toBe('queued');
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      'The kick failed: jobs wait for the next minute',
      expect.anything(),
    );
  });
});

test('after a kick that failed none is sent at once, then one is tried, and when it arrives all are', async () => {
  const warn = vi.fn();
  let isReachable = false;
  const kick = vi.fn(async () => {
    if (!isReachable) throw new Error('no worker');
  });
  const { processor } = await setup({ kick, log: { ...silent, warn } });

  const ids = await Promise.all([1, 2, 3].map((n) => processor.addJob('echo', { n })));
  const sentTogether = kick.mock.calls.length;
  ids.push(await processor.addJob('echo', {}));
  expect(kick).toHaveBeenCalledTimes(sentTogether);
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    'The kick failed: jobs wait for the next minute',
    expect.objectContaining({ pauseMs: 1_000 }),
  );

  isReachable = true;
  await eventually(async () => {
    ids.push(await processor.addJob('echo', {}));
    expect(kick).toHaveBeenCalledTimes(sentTogether + 1);
  });
  await processor.addJob('echo', {});
  expect(kick).toHaveBeenCalledTimes(sentTogether + 2);
  expect(await processor.getJobs()).toHaveLength(ids.length + 1);
});

test.each<[what: string, add: (processor: RemoteProcessor) => Promise<unknown>]>([
  ['addJob', (processor) => processor.addJob('echo', {}, { patience: 0 })],
  ['addJobs', (processor) => processor.addJobs([{ name: 'echo', input: {} }], { patience: 0 })],
])('%s waits for a kick no longer than its patience, and the kick arrives all the same', async (_, add) => {
  const warn = vi.fn();
  let arrive = () => {};
  const arriving = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const arrived = vi.fn();
  const kick = () => arriving.then(arrived);
  const { processor } = await setup({ kick, log: { ...silent, warn } });

  await add(processor);

  expect(arrived).not.toHaveBeenCalled();
  expect(warn).not.toHaveBeenCalled();
  arrive();
  await eventually(async () => expect(arrived).toHaveBeenCalledOnce());
});

test('a kick that is no function is refused', () => {
  // @ts-expect-error The type does not allow it either.
  expect(() => database.processor({ kick: 'the-worker' })).toThrow(/kick: expected a function/);
});

test('a worker takes what its jobs add, and asks others only for what it has no room for', async () => {
  const { processor, asked } = await setup({ maxThreads: 3 });
  const children: string[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const parent = defineJob({
    name: 'parent',
    run: async ({ processor: own }) => {
      for (let n = 0; n < 2; n += 1) children.push(await own.addJob('echo', { n }));
      await released;
    },
  });
  await processor.addJobFactory(parent);
  await processor.addJob('parent');
  asked.length = 0;

  const draining = processor.drain();

  for (const n of [0, 1]) {
    await eventually(async () => expect(await processor.getJobStatus(children[n] ?? '')).toBe('completed'));
  }
  expect(asked).toEqual([]);
  release();
  expect(await draining).toMatchObject({ completed: 3 });
});

test('a worker whose slots are full asks for another', async () => {
  const { processor, asked } = await setup({ maxThreads: 1 });
  const { factory, gate } = gatedJob();
  await processor.addJobFactory(factory);
  await processor.addJob(factory, 1);
  const draining = processor.drain();
  await eventually(async () => expect((await processor.getJobs())[0]?.status).toBe('processing'));
  asked.length = 0;

  await processor.addJob('echo', {});

  expect(asked).toEqual([now]);
  gate.open();
  await draining;
});

test.each<[what: string, act: (processor: RemoteProcessor, id: string) => Promise<unknown>]>([
  ['retried', (processor, id) => processor.cancelJob(id).then(() => processor.retryJob(id))],
  ['moved to now', (processor, id) => processor.updateJob(id, { delay: 0 })],
])('a local loop that sleeps is woken for a job that is %s', async (_, act) => {
  const { processor } = await setup({ pollInterval: '1h' });
  const idle = vi.spyOn(processor, 'drain');
  processor.startProcessor();
  await idle.mock.results[0]?.value;
  await eventually(() => expect(idle).toHaveResolved());
  const id = await processor.addJob('echo', {}, { delay: '30m' });
  await act(processor, id);
  await processor.updateJob(id, { delay: 0 }).catch(() => {});
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('completed'));
});
