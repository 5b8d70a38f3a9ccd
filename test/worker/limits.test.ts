import { describe, expect, test, vi } from 'vitest';
import type { LocalProcessor } from '../../local/processor.js';
import { AttemptAbortedError, type DrainSummary, defineJob, type LogFields } from '../../src/index.js';
import { MAX_UNFINISHED } from '../../src/job/end-attempt.js';
import { collectionNames } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, Gate, gatedJob } from '../jobs.js';
import { passTime } from '../pass-time.js';

const database = useDatabase();
const never = new AbortController().signal;

/** An invocation whose time is up while its job runs; on a busy machine it may be up before the job has begun. */
async function untilTimeIsUp(processor: LocalProcessor, gate: Gate): Promise<DrainSummary> {
  const { arrived } = gate;
  // The margin leaves a busy database much time to take the outcome.
  const summary = await processor.drain({ deadline: new Date(Date.now() + 30_100), margin: 30_000 });
  return gate.arrived === arrived ? untilTimeIsUp(processor, gate) : summary;
}

describe('an attempt that takes longer than its timeout', () => {
  test('is told, and fails to be retried when it ends then', async () => {
    const processor = database.processor();
    const gate = new Gate();
    const slow = defineJob({ name: 'slow', timeout: 50, run: ({ signal }) => gate.pass(signal) });
    await processor.addJobFactory(slow);
    const id = await processor.addJob('slow');
    expect(await processor.drain()).toMatchObject({ retried: 1, abandoned: 0 });
    expect(await processor.getJobErrors(id)).toEqual([expect.stringContaining('longer than its timeout')]);
  });

  test('and goes on is settled without it: its slot is free, and its late outcome changes nothing', async () => {
    const processor = database.processor({ maxThreads: 1 });
    const gate = new Gate();
    const deaf = defineJob({ name: 'deaf', timeout: 20, run: () => gate.pass(never) });
    await processor.addJobFactories([deaf, echo]);
    const id = await processor.addJob('deaf', undefined, { priority: 9 });
    await processor.addJob('echo', {});
    expect(await processor.drain()).toMatchObject({ retried: 1, completed: 1, abandoned: 1 });
    gate.open();
    await new Promise(setImmediate);
    expect(await processor.getJob(id)).toMatchObject({ status: 'queued', retryCounter: 1 });
    expect(await processor.getJobErrors(id)).toEqual([
      expect.stringContaining('went on after its timeout of 20 ms'),
    ]);
  });

  test('and goes on lets a worker that should end claim no more', async () => {
    const processor = database.processor({ maxThreads: 1 });
    const deaf = defineJob({
      ...{ name: 'deaf', timeout: 20, retryDelay: '1h' },
      run: () => new Gate().pass(never),
    });
    await processor.addJobFactories([deaf, echo]);
    await processor.addJob('deaf', undefined, { priority: 9 });
    const waiting = await processor.addJob('echo', {});
    expect(await processor.drain({ stopWhenAbandoned: true })).toMatchObject({
      claimed: 1,
      abandoned: 1,
      remaining: 1,
    });
    expect(await processor.getJobStatus(waiting)).toBe('queued');
  });
});

describe('a job that does not fit the time that is left', () => {
  test('is not started, by what its factory expects; others are', async () => {
    const processor = database.processor({ maxThreads: 1 });
    const long = defineJob({ name: 'long', expectedDuration: '10m', run: async () => null });
    await processor.addJobFactories([long, echo]);
    await processor.addJob('echo', {}, { priority: 9 });
    const id = await processor.addJob('long', undefined, { priority: 5 });
    await processor.addJob('echo', {});
    const deadline = new Date(Date.now() + 60_000);
    expect(await processor.drain({ deadline })).toMatchObject({ completed: 2, givenBack: 0, remaining: 1 });
    expect(await processor.getJob(id)).toMatchObject({ status: 'queued', givenBackCounter: 0 });
  });

  test('is started by an invocation that has done nothing else', async () => {
    const processor = database.processor();
    const long = defineJob({ name: 'long', expectedDuration: '10m', run: async () => 'it did fit' });
    await processor.addJobFactory(long);
    const id = await processor.addJob('long');
    await processor.drain({ deadline: new Date(Date.now() + 60_000) });
    expect(await processor.getJobResult(id)).toBe('it did fit');
  });

  test('is not started, by how long it took lately', async () => {
    const processor = database.processor({ maxThreads: 1, lease: '1h' });
    const gate = new Gate();
    const slow = defineJob({ name: 'slow', run: () => gate.pass(never) });
    await processor.addJobFactories([slow, echo]);
    await processor.addJob('slow');
    const first = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(1));
    passTime(600_000);
    gate.open();
    await first;
    await processor.addJob('echo', {}, { priority: 9 });
    const id = await processor.addJob('slow');
    const deadline = new Date(Date.now() + 300_000);
    expect(await processor.drain({ deadline, margin: 0 })).toMatchObject({ completed: 1, remaining: 1 });
    expect(await processor.getJob(id)).toMatchObject({ status: 'queued', givenBackCounter: 0 });
  });

  test('ends in an error that says so once it was given back again and again', async () => {
    const processor = database.processor();
    const { factory, gate } = gatedJob();
    await processor.addJobFactory(factory);
    const id = await processor.addJob('gated');
    for (let times = 1; times < MAX_UNFINISHED; times += 1) {
      expect(await untilTimeIsUp(processor, gate)).toMatchObject({ givenBack: 1 });
      expect(await database.storedJob(id)).toMatchObject({
        status: 'queued',
        retryCounter: 0,
        unfinishedCounter: times,
      });
    }
    expect(await untilTimeIsUp(processor, gate)).toMatchObject({ errors: 1 });
    expect(await processor.getJobErrors(id)).toEqual([expect.stringContaining('it does not fit')]);
  });

  test('is not counted as such when the worker was stopped by somebody', async () => {
    const processor = database.processor();
    const { factory, gate } = gatedJob();
    await processor.addJobFactory(factory);
    const id = await processor.addJob('gated');
    for (let times = 1; times <= MAX_UNFINISHED + 1; times += 1) {
      const stop = new AbortController();
      const draining = processor.drain({ signal: stop.signal });
      await eventually(() => expect(gate.arrived).toBe(times));
      stop.abort();
      expect(await draining).toMatchObject({ givenBack: 1 });
    }
    expect(await processor.getJob(id)).toMatchObject({
      status: 'queued',
      givenBackCounter: MAX_UNFINISHED + 1,
    });
  });

  test('is still known as such after a worker that was stopped by somebody', async () => {
    const processor = database.processor();
    const { factory, gate } = gatedJob();
    await processor.addJobFactory(factory);
    const id = await processor.addJob('gated');
    await untilTimeIsUp(processor, gate);
    const { arrived } = gate;
    const stop = new AbortController();
    const draining = processor.drain({ signal: stop.signal });
    await eventually(() => expect(gate.arrived).toBe(arrived + 1));
    stop.abort();
    await draining;
    expect(await database.storedJob(id)).toMatchObject({ status: 'queued', unfinishedCounter: 1 });
  });

  test('is not counted as such either when its time comes while the worker stops', async () => {
    const processor = database.processor();
    const gate = new Gate();
    // Its time is up in 2 s, but half of so large a margin is the grace.
    const deadline = new Date(Date.now() + 60_000);
    const margin = 58_000;
    const slow = defineJob({
      name: 'slow',
      run: async ({ signal }) => {
        await gate.pass(signal).catch(() => {});
        await eventually(() => expect(Date.now()).toBeGreaterThan(deadline.getTime() - margin));
        signal.throwIfAborted();
      },
    });
    await processor.addJobFactory(slow);
    const id = await processor.addJob('slow');
    const stop = new AbortController();
    const draining = processor.drain({ deadline, margin, signal: stop.signal });
    await eventually(() => expect(gate.arrived).toBe(1));
    stop.abort();
    expect(await draining).toMatchObject({ givenBack: 1 });
    expect(await database.storedJob(id)).not.toHaveProperty('unfinishedCounter');
  });
});

test('a claim that hangs does not keep what runs from being told, and given back, in time', async () => {
  const processor = database.processor({ maxThreads: 2 });
  const { factory, gate } = gatedJob();
  await processor.addJobFactory(factory);
  const id = await processor.addJob('gated');
  const stop = new AbortController();
  const draining = processor.drain({ signal: stop.signal, pollInterval: 10 });
  await eventually(() => expect(gate.arrived).toBe(1));
  // From the moment that the second job is due, a claim waits for a transaction that has it.
  const held = await processor.addJob('gated', undefined, { delay: '2s' });
  await database.client.withSession(async (session) => {
    session.startTransaction();
    const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
    await jobs.updateOne({ _id: held }, { $set: { touched: true } }, { session });
    await eventually(async () => {
      const { localTime } = await database.db.command({ hello: 1 });
      expect(Number(localTime)).toBeGreaterThan(Number((await processor.getJob(held))?.runAt) + 100);
    });
    stop.abort();
    await eventually(async () => expect(await processor.getJobStatus(id)).toBe('queued'));
    await session.abortTransaction();
  });
  const { givenBack } = await draining;
  // Where the transaction ended before the grace did, the claim came back with the second job, which was declined.
  expect(givenBack).toBeGreaterThanOrEqual(1);
});

const rejecting = () => void Promise.reject(new Error('nobody waits for me'));

test.each([
  [
    'leaves',
    defineJob({
      name: 'careless',
      run: async ({ signal }) => {
        rejecting();
        await new Gate().pass(signal);
      },
    }),
  ],
  [
    'leaves when its signal fires',
    defineJob({
      name: 'careless',
      timeout: 50,
      retryDelay: '1h',
      run: async ({ signal }) => {
        signal.addEventListener('abort', rejecting);
        await new Gate().pass(never);
      },
    }),
  ],
])('an unhandled rejection that a job %s fails that job, and no other', async (_, careless) => {
  const processor = database.processor({ maxThreads: 2 });
  const { factory, gate } = gatedJob();
  await processor.addJobFactories([factory, careless]);
  const neighbour = await processor.addJob('gated');
  const id = await processor.addJob('careless');
  const draining = processor.drain();
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('queued'));
  gate.open();
  await draining;
  expect(await processor.getJobErrors(id)).toEqual([
    expect.stringContaining('Unhandled rejection: nobody waits for me'),
  ]);
  expect(await processor.getJobStatus(neighbour)).toBe('completed');
});

describe('those who listened to unhandled rejections', () => {
  const event = 'unhandledRejection';

  /**
   * With other listeners than those of the test runner. `work` is called while a job runs that has left a rejection. In a
   * copy of the project of its own: a worker's handler that another test has called keeps listening for good.
   */
  async function listening(listen: () => void, work: () => Promise<void>) {
    vi.resetModules();
    const { RemoteProcessor } = await import('../../src/processor.js');
    const processor = new RemoteProcessor({ db: database.db, maxThreads: 2, log: silent });
    const { factory, gate } = gatedJob();
    const careless = defineJob({
      name: 'careless',
      retryDelay: '1h',
      run: ({ signal }) => {
        rejecting();
        return new Gate().pass(signal);
      },
    });
    await processor.addJobFactories([factory, careless]);
    await processor.addJob('gated');
    const id = await processor.addJob('careless');
    const vitest = process.rawListeners(event);
    process.removeAllListeners(event);
    listen();
    try {
      const draining = processor.drain();
      await eventually(async () => expect(await processor.getJobErrors(id)).toHaveLength(1));
      await work();
      gate.open();
      await draining;
      return process.listeners(event);
    } finally {
      process.removeAllListeners(event);
      for (const one of vitest) process.on(event, one as NodeJS.UnhandledRejectionListener);
    }
  }

  /** Rejects beside the jobs, and waits until that was told. */
  async function reject(reason: string, heard: readonly unknown[]) {
    void Promise.reject(reason);
    await eventually(() => expect(heard).toContain(reason));
  }

  test('hear those of somebody else, and listen again afterwards, in their order', async () => {
    const heard: unknown[] = [];
    const first = (reason: unknown) => heard.push(reason);
    const second = () => {};
    const listen = () => void process.on(event, first).on(event, second);
    const after = await listening(listen, () => reject('not a job', heard));
    expect(heard).toEqual(['not a job']);
    expect(after).toEqual([first, second]);
  });

  test('do so once, when they listened once', async () => {
    const heard: unknown[] = [];
    const others: unknown[] = [];
    const once = (reason: unknown) => heard.push(reason);
    const always = (reason: unknown) => others.push(reason);
    const after = await listening(
      () => void process.once(event, once).on(event, always),
      async () => {
        await reject('one', others);
        await reject('two', others);
      },
    );
    expect(heard).toEqual(['one']);
    expect(after).toEqual([always]);
  });

  test('one that listened once and alone is heard, and does not end the process', async () => {
    const heard: unknown[] = [];
    const once = (reason: unknown) => heard.push(reason);
    expect(
      await listening(
        () => void process.once(event, once),
        () => reject('one', heard),
      ),
    ).toEqual([]);
    expect(heard).toEqual(['one']);
  });

  test('still listen once afterwards, when they heard nothing', async () => {
    const once = () => {};
    let isListed = false;
    const after = await listening(
      () => void process.once(event, once),
      async () => {
        isListed = process.listeners(event).includes(once);
      },
    );
    expect(isListed).toBe(true);
    expect(after).toEqual([once]);
  });

  test('stay away when they were removed meanwhile, and one that was added stays', async () => {
    const heard: unknown[] = [];
    const removed = () => heard.push('removed');
    const removedOnce = () => heard.push('removed once');
    const kept = () => {};
    const added = (reason: unknown) => heard.push(reason);
    const after = await listening(
      () => void process.on(event, removed).once(event, removedOnce).on(event, kept),
      async () => {
        process.off(event, removed).off(event, removedOnce).on(event, added);
        await reject('not a job', heard);
      },
    );
    expect(heard).toEqual(['not a job']);
    expect(after).toEqual([kept, added]);
  });
});

test('an unhandled rejection that a job leaves after its end is logged, with what it says', async () => {
  const warnings: [string, LogFields | undefined][] = [];
  const log = { ...silent, warn: (message: string, fields?: LogFields) => warnings.push([message, fields]) };
  const processor = database.processor({ maxThreads: 2, log });
  const { factory, gate } = gatedJob();
  const left = new Gate();
  const careless = defineJob({
    name: 'careless',
    run: async () => {
      void left.pass(never).then(() => Promise.reject(new Error('nobody waits for me')));
    },
  });
  await processor.addJobFactories([factory, careless]);
  await processor.addJob('gated');
  const id = await processor.addJob('careless');
  const draining = processor.drain();
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('completed'));
  left.open();
  await eventually(() => expect(warnings).toHaveLength(1));
  gate.open();
  await draining;
  expect(warnings[0]?.[0]).toBe('A promise of a job that has ended was rejected');
  expect(warnings[0]?.[1]).toMatchObject({ jobId: id, error: 'nobody waits for me' });
});

test('a blocked event loop is logged with the names of the jobs that run', async () => {
  const warnings: [string, LogFields | undefined][] = [];
  const log = { ...silent, warn: (message: string, fields?: LogFields) => warnings.push([message, fields]) };
  const processor = database.processor({ lease: '9s', log });
  const blocking = defineJob({
    name: 'blocking',
    run: async ({ signal }) => {
      const until = performance.now() + 3_200;
      while (performance.now() < until);
      await eventually(() => expect(warnings).not.toEqual([]));
      expect(signal.aborted).toBe(false);
    },
  });
  await processor.addJobFactory(blocking);
  await processor.addJob('blocking');
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect(warnings[0]?.[0]).toContain('The event loop was blocked');
  expect(warnings[0]?.[1]).toMatchObject({ jobNames: ['blocking'] });
});

test('so it is when the job that blocked it has ended, and for little more than a third of the lease', async () => {
  const warnings: [string, LogFields | undefined][] = [];
  const log = { ...silent, warn: (message: string, fields?: LogFields) => warnings.push([message, fields]) };
  const processor = database.processor({ lease: '6s', log });
  const blocking = defineJob({
    name: 'blocking',
    run: async () => {
      const until = performance.now() + 2_100;
      while (performance.now() < until);
    },
  });
  await processor.addJobFactory(blocking);
  await processor.addJob('blocking');
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect(warnings[0]?.[0]).toContain('The event loop was blocked');
  expect(warnings[0]?.[1]).toMatchObject({ jobNames: ['blocking'] });
});

test('an aborted attempt is told why, by an error', () => {
  expect(new AttemptAbortedError('timed out')).toMatchObject({ code: 'attempt_aborted', why: 'timed out' });
});
