import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { LocalProcessor } from '../../local/processor.js';
import {
  defineJob,
  type JobContext,
  RemoteException,
  Snooze,
  StepInterruptedError,
} from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { Gate } from '../jobs.js';
import { endWaits } from './over.js';

const database = useDatabase();

const never = new AbortController().signal;

type Run = (context: JobContext<unknown>) => unknown;
interface Options {
  readonly maxRetries?: number;
  readonly timeout?: number;
  readonly version?: number;
  readonly versions?: Record<number, Run>;
  readonly output?: StandardSchemaV1;
  readonly rateLimit?: { readonly limit: number; readonly period: string };
}

function jobThat(run: Run, options: Options = {}) {
  return defineJob({ name: 'order', input: z.unknown(), retryDelay: 0, ...options, run });
}

async function added(run: Run, options: Options = {}) {
  const processor = database.processor();
  const job = jobThat(run, options);
  await processor.addJobFactory(job);
  const id = await processor.addJob(job, { n: 1 });
  return { processor, id, lastError: async () => (await processor.getJob(id))?.errors.at(-1)?.message };
}

const jobs = () => database.db.collection<{ _id: string }>(collectionNames.jobs);

test('a late worker stores no step, and its transaction takes no effect', async () => {
  const effects = database.db.collection<{ _id: string }>('effects');
  const gate = new Gate();
  const outcomes: unknown[] = [];
  const { processor, id } = await added(async ({ step, attempt }) => {
    if (attempt > 1) return 'by the next worker';
    const late = async (work: Promise<unknown>) =>
      outcomes.push(await work.catch((error: Error) => error.message));
    await Promise.all([
      late(step.run('late', () => gate.pass(never))),
      late(
        step.transaction('late effect', async (session) => {
          await gate.pass(never);
          await effects.insertOne({ _id: 'effect' }, { session });
        }),
      ),
    ]);
    return 'too late';
  });
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(2));
  await jobs().updateOne({ _id: id }, { $set: { 'lease.expires': new Date(1) } });
  const other = database.processor();
  await other.addJobFactory(jobThat(() => 'by the next worker'));
  await other.drain();
  gate.open();
  expect(await draining).toMatchObject({ stale: 1 });
  expect(outcomes).toEqual([
    expect.stringContaining('lease was lost'),
    expect.stringContaining('lease was lost'),
  ]);
  expect(await effects.countDocuments()).toBe(0);
  expect(await processor.getJobResult(id)).toBe('by the next worker');
});

test('a lost worker uses up no attempt if it stored a step', async () => {
  const gate = new Gate();
  const { processor, id } = await added(
    async ({ step, attempt }) => {
      if (attempt === 1) await step.run('one', () => 1);
      await gate.pass(never);
      return step.run('two', () => attempt);
    },
    { maxRetries: 1 },
  );
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(1));
  await jobs().updateOne({ _id: id }, { $set: { 'lease.expires': new Date(1) } });
  await processor.recoverJobs();
  expect(await processor.getJob(id)).toMatchObject({ status: 'queued', retryCounter: 0 });
  gate.open();
  await draining;
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
});

test('an iteration longer than the timeout goes on in slices, and ends in no error', async () => {
  const seen: number[] = [];
  const { processor, id } = await added(
    ({ step }) =>
      step.iterate('rows', { start: 0 }, async (at: number) => {
        seen.push(at);
        await wait(150);
        return at < 9 ? { next: at + 1 } : { done: 'imported' };
      }),
    { timeout: 1_000, maxRetries: 1 },
  );
  const summary = await processor.drain();
  expect(summary).toMatchObject({ completed: 1, errors: 0, retried: 0 });
  expect(summary.givenBack).toBeGreaterThan(0);
  expect(await processor.getJobResult(id)).toBe('imported');
  expect(new Set(seen).size).toBe(10);
});

test('a worker that must stop gives an iteration back between two calls', async () => {
  const stop = new AbortController();
  const { processor, id } = await added(({ step, timeLeft }) =>
    step.iterate('rows', { start: 0 }, (at: number) => {
      expect(timeLeft()).toBeGreaterThan(0);
      if (at === 3) stop.abort();
      return at < 5 ? { next: at + 1 } : { done: at };
    }),
  );
  expect(await processor.drain({ signal: stop.signal })).toMatchObject({ givenBack: 1, abandoned: 0 });
  expect((await processor.jobs.steps(id)).steps).toMatchObject([{ state: 'iterating', cursor: 4, calls: 4 }]);
  await processor.drain();
  expect(await processor.getJobResult(id)).toBe(5);
});

test('a deadline under which the job made progress never counts as one under which it does not fit', async () => {
  const { processor, id } = await added(
    ({ step }) =>
      step.iterate('rows', { start: 0 }, async (at: number) => {
        await wait(150);
        return at < 9 ? { next: at + 1 } : { done: 'imported' };
      }),
    { timeout: 1_000 },
  );
  await jobs().updateOne({ _id: id }, { $set: { unfinishedCounter: 9 } });
  expect(await processor.drain()).toMatchObject({ completed: 1, errors: 0 });
});

describe('workers that die before the job has stored anything', () => {
  const importing = () => added(() => 'imported', { maxRetries: 3 });

  /** Lets a worker take the job and die. It may have stored a step before. */
  async function die(processor: LocalProcessor, id: string, stepped = false): Promise<string | undefined> {
    await processor.pullNextJob();
    const lost = { 'lease.expires': new Date(1), ...(stepped && { 'lease.stepped': true }) };
    await jobs().updateOne({ _id: id }, { $set: lost });
    await processor.recoverJobs();
    return processor.getJobStatus(id);
  }

  test('end it only if they do so in a row', async () => {
    const { processor, id } = await importing();
    for (let round = 0; round < 3; round += 1) {
      expect(await die(processor, id)).toBe('queued');
      expect(await die(processor, id)).toBe('queued');
      expect(await die(processor, id, true)).toBe('queued');
    }
    expect(await processor.getJob(id)).toMatchObject({ retryCounter: 6, maxRetries: 9 });
    expect(await die(processor, id)).toBe('queued');
    expect(await die(processor, id)).toBe('queued');
    expect(await die(processor, id)).toBe('error');
  });

  test('do not count any more once the job has got on until a deadline', async () => {
    const { processor, id } = await added(
      ({ step }) =>
        step.iterate('rows', { start: 0 }, async (at: number) => {
          await wait(150);
          return at < 9 ? { next: at + 1 } : { done: 'imported' };
        }),
      { maxRetries: 3, timeout: 1_000 },
    );
    await die(processor, id);
    await die(processor, id);
    expect(await processor.drain()).toMatchObject({ completed: 1 });
    expect(await processor.getJob(id)).toMatchObject({ retryCounter: 3, maxRetries: 5 });
    expect(await database.storedJob(id)).not.toHaveProperty('lostCounter');
  });

  test('leave a job without steps as many attempts as before', async () => {
    const { processor, id } = await importing();
    expect(await die(processor, id)).toBe('queued');
    expect(await processor.drain()).toMatchObject({ completed: 1 });
    expect(await processor.getJob(id)).toMatchObject({ retryCounter: 2, maxRetries: 3 });
  });
});

test('a signal that comes while the job runs is there when the job comes to wait for it', async () => {
  const gate = new Gate();
  const { processor, id } = await added(async ({ step }) => {
    await step.run('read what is stored', () => gate.pass(never));
    return step.waitForSignal('paid');
  });
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(1));
  await processor.signal(id, 'paid', 12);
  gate.open();
  expect(await draining).toMatchObject({ suspended: 1, completed: 1 });
  expect(await processor.getJobResult(id)).toBe(12);
});

test('a step is found under its former name, and not run again', async () => {
  const calls: string[] = [];
  const { processor, id } = await added(async ({ step }) => {
    await step.run('charge', () => calls.push('charge'));
    await step.sleep('wait', '1h');
  });
  await processor.drain();
  const newer = database.processor();
  await newer.addJobFactory(
    jobThat(async ({ step }) => {
      await step.run('take the money', { was: 'charge' }, () => calls.push('again'));
      await step.sleep('pause', '1h', { was: ['wait'] });
      return 'done';
    }),
  );
  await endWaits(database.db, id);
  await newer.drain();
  expect(calls).toEqual(['charge']);
  expect(await newer.getJobResult(id)).toBe('done');
});

test('a job goes on with the version that it began with, and older code passes over newer jobs', async () => {
  const sleepThen =
    (result: string): Run =>
    async ({ step }) => {
      await step.sleep('wait', '1h');
      return result;
    };
  const { processor: old, id } = await added(sleepThen('old'), { version: 1 });
  await old.drain();
  const newer = database.processor();
  await newer.addJobFactory(
    jobThat(sleepThen('new'), { version: 2, versions: { 1: sleepThen('as it began') } }),
  );
  const second = await newer.addJob('order', {});
  await newer.drain();
  for (const each of [id, second]) await endWaits(database.db, each);
  // The old worker leaves the new job alone.
  await jobs().updateOne({ _id: id }, { $set: { status: 'processing' } });
  expect(await old.drain()).toMatchObject({ snoozed: 1, completed: 0 });
  await jobs().updateOne({ _id: id }, { $set: { status: 'queued', priority: 0 } });
  await endWaits(database.db, second);
  await newer.drain();
  expect(await newer.getJobResult(id)).toBe('as it began');
  expect(await newer.getJobResult(second)).toBe('new');
});

test('a step that runs at most once and was cut off says so, until a person retries the job', async () => {
  const gate = new Gate();
  const { processor, id } = await added(({ step, attempt }) =>
    step.run('launch', { atMostOnce: true }, async () => {
      await gate.pass(never);
      return attempt;
    }),
  );
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(1));
  await jobs().updateOne({ _id: id }, { $set: { 'lease.expires': new Date(1) } });
  await processor.recoverJobs();
  gate.open();
  await draining;
  await processor.drain();
  expect(await processor.getJob(id)).toMatchObject({ status: 'error' });
  expect((await processor.getJob(id))?.errors.at(-1)?.message).toBe(
    new StepInterruptedError('launch').message,
  );
  await processor.retryJob(id);
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
});

test('retrying a failed job tries its failed step anew, and repeats no other', async () => {
  const calls: string[] = [];
  let works = false;
  const { processor, id } = await added(async ({ step }) => {
    await step.run('one', () => calls.push('one'));
    await step.run('two', { retry: { attempts: 1 } }, () => {
      calls.push('two');
      if (!works) throw new Error('down');
    });
  });
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('error');
  works = true;
  await processor.retryJob(id);
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
  expect(calls).toEqual(['one', 'two', 'two']);
});

test('a compensation that fails is tried again, and its failure is told with that of the job', async () => {
  const tries: string[] = [];
  const { processor, id, lastError } = await added(async ({ step }) => {
    const always = (name: string) => () => {
      tries.push(name);
      throw new Error(`no ${name}`);
    };
    await step.run('charge', { compensate: () => void tries.push('refund') }, () => 1);
    await step.run('reserve', { retry: { attempts: 2, delay: 0 }, compensate: always('free') }, () => 2);
    throw new RemoteException('sold out');
  });
  await processor.drain();
  expect(tries).toEqual(['free', 'free', 'refund']);
  expect(await lastError()).toMatch(/^sold out \(the compensation of step 'reserve' failed too: .*no free/);
  await processor.retryJob(id);
  expect(await processor.jobs.steps(id)).toMatchObject({ run: 2, steps: [] });
});

test.each<[string, (context: JobContext<unknown>) => unknown, Options]>([
  [
    'whose last attempt takes too long',
    ({ step }) =>
      step.run('hang', ({ signal }) => new Promise((_, no) => signal.addEventListener('abort', no))),
    { timeout: 300 },
  ],
  ['whose output is refused', () => 'no number', { output: z.number() }],
  [
    'that leaves a rejected promise behind',
    async ({ signal }) => {
      void Promise.reject(new Error('left behind'));
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
        setTimeout(resolve, 50);
      });
    },
    {},
  ],
])('a job %s undoes its steps too', async (_, ending, options) => {
  const done: string[] = [];
  const { processor, id } = await added(
    async (context) => {
      const undo = { compensate: () => void done.push('refund') };
      await context.step.run('charge', undo, () => void done.push('charge'));
      return ending(context);
    },
    { maxRetries: 1, ...options },
  );
  await processor.drain();
  expect(done).toEqual(['charge', 'refund']);
  expect(await processor.getJobStatus(id)).toBe('error');
});

test.each<[string, (context: JobContext<unknown>) => unknown]>([
  [
    'completes itself in a transaction',
    ({ completeIn }) =>
      database.client.withSession((session) => session.withTransaction(() => completeIn(session, 'done'))),
  ],
  ['continues as another run', ({ step }) => step.continueAs({})],
])('a failed job that undoes its steps no longer %s', async (_, ending) => {
  const done: string[] = [];
  const { processor, lastError } = await added(async (context) => {
    const undo = { compensate: () => void done.push('refund') };
    await context.step.run('charge', undo, () => void done.push('charge'));
    // It would not fail again.
    if (done.length === 1 && done.push('failed')) throw new RemoteException('sold out');
    return ending(context);
  });
  expect(await processor.drain()).toMatchObject({ completed: 0, errors: 1 });
  expect(done).toEqual(['charge', 'failed', 'refund']);
  expect(await lastError()).toBe('sold out');
});

test('a worker that dies while steps are undone is followed by another, which goes on', async () => {
  const gate = new Gate();
  let tries = 0;
  const { processor, id, lastError } = await added(
    async ({ step }) => {
      const compensate = async () => {
        tries += 1;
        if (tries === 1) await gate.pass(never);
      };
      await step.run('charge', { compensate }, () => 1);
      throw new RemoteException('sold out');
    },
    { maxRetries: 1 },
  );
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(1));
  await jobs().updateOne({ _id: id }, { $set: { 'lease.expires': new Date(1) } });
  await processor.recoverJobs();
  gate.open();
  await draining;
  await processor.drain();
  expect(tries).toBe(2);
  expect(await processor.getJobStatus(id)).toBe('error');
  expect(await lastError()).toBe('sold out');
});

test('a job that is retried after its steps were undone still knows the signals that it took', async () => {
  const { processor, id } = await added(async ({ step }) => {
    await step.run('charge', { compensate: () => {} }, () => 1);
    await step.waitForSignal('paid');
    throw new RemoteException('sold out');
  });
  const send = () => processor.signal(id, 'paid', 1, { signalId: 'payment 1' });
  await send();
  await processor.drain();
  await processor.retryJob(id);
  expect(await send()).toEqual({ outcome: 'duplicate' });
});

test('a job that another with its unique key replaces begins another run, so no service knows its keys', async () => {
  const keys: string[] = [];
  const unique = { key: 'one', mode: 'replace' } as const;
  const processor = database.processor();
  const job = jobThat(async ({ step }) => {
    await step.run('charge', ({ idempotencyKey }) => void keys.push(idempotencyKey));
    await step.waitForSignal('paid');
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job, 1, { unique });
  await processor.drain();
  expect(await processor.addJob(job, 2, { unique })).toBe(id);
  await processor.drain();
  expect(new Set(keys).size).toBe(2);
  expect((await processor.jobs.steps(id)).run).toBe(2);
});

test('a job that reports during a transaction does not disturb it', async () => {
  let calls = 0;
  const { processor, id } = await added(async ({ step, log, progress }) => {
    await step.transaction('take one', async (session) => {
      calls += 1;
      await jobs().findOne({ _id: id }, { session }); // The transaction sees the job as it is now.
      log('in it');
      await progress(calls);
      if (calls > 3) throw new RemoteException('It is disturbed each time.');
    });
  });
  await processor.drain();
  expect(calls).toBe(1);
  expect(await processor.getJobStatus(id)).toBe('completed');
  expect((await processor.jobs.log(id)).lines).toHaveLength(1);
});

test('steps in transactions keep the document small too', async () => {
  const { processor, id } = await added(async ({ step }) => {
    for (let n = 0; n < 20; n += 1) await step.transaction(`step ${n}`, () => 'x'.repeat(10_000));
  });
  await processor.drain();
  expect((await processor.jobs.steps(id)).steps).toHaveLength(20);
  const { stepLog: { entries = [] } = {} } = (await database.storedJob(id)) ?? {};
  expect(entries.length).toBeLessThan(9);
});

test('large steps that end at the same time do not fill the document together', async () => {
  const names = Array.from({ length: 17 }, (_, n) => `step ${n}`);
  const { processor, id } = await added(
    ({ step }) => Promise.all(names.map((name) => step.run(name, () => 'x'.repeat(1_000_000)))).then(() => 1),
    { maxRetries: 1 },
  );
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
  expect((await processor.jobs.steps(id)).steps).toHaveLength(17);
});

test('a suspended job lets another be added whose unique key is taken until it is claimed', async () => {
  const begun: unknown[] = [];
  const unique = { key: 'one', until: 'claimed' } as const;
  const processor = database.processor();
  const job = jobThat(async ({ input, step }) => {
    begun.push(input);
    await step.waitForSignal('paid');
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job, 1, { unique });
  await processor.drain();
  expect(await processor.addJob(job, 2, { unique })).not.toBe(id);
  await processor.drain();
  expect(begun).toEqual([1, 2]);
});

test('a step that snoozes puts off the job, and uses up no try', async () => {
  const { processor, id } = await added(({ step }) =>
    step.run('call', { retry: { attempts: 1 } }, () => {
      throw new Snooze('1h');
    }),
  );
  expect(await processor.drain()).toMatchObject({ snoozed: 1, errors: 0 });
  expect((await processor.jobs.steps(id)).steps).toEqual([]);
});

test('a wait that lost a race suspends no job whose function has returned', async () => {
  const turns = { '~standard': { version: 1, vendor: 'test', validate: slowly } } as const;
  const { processor, id } = await added(
    ({ step }) => Promise.race([step.waitForSignal('stop'), step.run('work', () => 'done')]),
    { output: turns },
  );
  expect(await processor.drain()).toMatchObject({ completed: 1, suspended: 0 });
  expect(await processor.getJobResult(id)).toBe('done');
});

/** Accepts a value after a few turns of the event loop. */
async function slowly(value: unknown): Promise<{ readonly value: unknown }> {
  for (let turns = 0; turns < 5; turns += 1) await setImmediate();
  return { value };
}

test('a signal brings no job forward that a rate limit has put off', async () => {
  const starts: number[] = [];
  const { processor, id } = await added(
    async ({ step }) => {
      starts.push(1);
      await step.waitForSignal('one');
      await step.waitForSignal('two');
    },
    { rateLimit: { limit: 1, period: '1h' } },
  );
  await processor.drain();
  await processor.signal(id, 'one');
  await processor.drain();
  const { runAt } = (await processor.getJob(id)) ?? {};
  await processor.signal(id, 'one');
  await processor.drain();
  expect(starts).toEqual([1]);
  expect((await processor.getJob(id))?.runAt).toEqual(runAt);
});

test('a job is completed in a transaction of its own, or not at all', async () => {
  const effects = database.db.collection<{ _id: string }>('effects');
  const { processor, id } = await added(async ({ completeIn, attempt, jobId }) => {
    await database.client.withSession((session) =>
      session.withTransaction(async () => {
        await effects.insertOne({ _id: `${jobId} ${attempt}` }, { session });
        await completeIn(session, 'in one');
        if (attempt === 1) throw new Error('after it');
      }),
    );
  });
  expect(await processor.drain()).toMatchObject({ completed: 1, retried: 1 });
  expect(await processor.getJobResult(id)).toBe('in one');
  expect(await effects.find().toArray()).toEqual([{ _id: `${id} 2` }]);
});

test('the lease of a job whose own transaction was not committed is renewed again', async () => {
  const stored = async (id: string) => (await database.storedJob(id))?.lease?.expires.getTime() ?? 0;
  const processor = database.processor({ lease: '1s' });
  const job = jobThat(async ({ completeIn, jobId }) => {
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await completeIn(session, 'not committed');
      await session.abortTransaction();
    });
    const before = await stored(jobId);
    await eventually(async () => expect(await stored(jobId)).toBeGreaterThan(before));
    return 'at the end';
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job, {});
  expect(await processor.drain()).toMatchObject({ completed: 1, stale: 0 });
  expect(await processor.getJobStatus(id)).toBe('completed');
});

test('a pulled job is completed in a transaction of the caller, or not at all', async () => {
  const effects = database.db.collection<{ _id: string }>('effects');
  const { processor, id } = await added(() => undefined);
  const job = await processor.pullNextJob();
  if (!job) throw new Error('It is due.');
  const complete = (isUndone: boolean) =>
    database.client.withSession((session) =>
      session.withTransaction(async () => {
        await effects.insertOne({ _id: 'effect' }, { session });
        expect(await processor.completeJob(job, 1, { session })).toBe('completed');
        if (isUndone) throw new Error('undone');
      }),
    );
  await expect(complete(true)).rejects.toThrow('undone');
  expect(await processor.getJobStatus(id)).toBe('processing');
  await complete(false);
  expect(await processor.getJobResult(id)).toBe(1);
  expect(await effects.countDocuments()).toBe(1);
});

test.each<[string, Run, string]>([
  [
    'an empty name',
    ({ step }) => step.run('', () => 1),
    'Name of a step is invalid: expected 1 to 200 characters',
  ],
  ['a long name', ({ step }) => step.run('n'.repeat(201), () => 1), 'expected 1 to 200 characters'],
  [
    'a repeated name',
    async ({ step }) => {
      await step.run('one', () => 1);
      await step.run('one', () => 1);
    },
    "Step 'one' is invalid: name: expected a name that no other step of the run has",
  ],
  [
    'a step inside of a step',
    ({ step }) => step.run('outer', () => step.sleep('inner', '1h')),
    "Step 'inner' is invalid: expected not to be inside of step 'outer'",
  ],
  [
    'an unknown option',
    ({ step }) => step.run('one', Object({ retries: 3 }), () => 1),
    'Unrecognized key: "retries"',
  ],
  [
    'retries of a step that runs at most once',
    ({ step }) => step.run('one', { atMostOnce: true, retry: { attempts: 2 } }, () => 1),
    'retry: expected none beside atMostOnce',
  ],
  [
    'a result that cannot be stored',
    ({ step }) => step.run('one', () => ({ at: () => 1 })),
    "Result of step 'one' is invalid: at: ",
  ],
  [
    'a large result',
    ({ step }) => step.run('one', () => 'x'.repeat(1024 * 1024)),
    'expected at most 1048576 bytes',
  ],
  [
    'a large cursor',
    ({ step }) => step.iterate('one', { start: '' }, () => ({ next: 'x'.repeat(65_536) })),
    'expected at most 65536 bytes',
  ],
  [
    'an iteration that returns nothing',
    ({ step }) =>
      step.iterate(
        'one',
        { start: 0 },
        Object(() => {}),
      ),
    '{ next: cursor } or { done: value }',
  ],
  ['a callback without an address', ({ step }) => step.callback('one'), 'makes no links for callbacks'],
])('%s is refused with the reason', async (_, run, reason) => {
  const { processor, lastError } = await added(run, { maxRetries: 1 });
  await processor.drain();
  expect(await lastError()).toContain(reason);
});

test('a step after the end of its attempt is refused, and stores nothing', async () => {
  const late = new Gate();
  const refused = new Promise<unknown>((resolve) => {
    void added(async ({ step }) => {
      void late.pass(never).then(() => step.run('late', () => 1).catch(resolve));
    }).then(async ({ processor }) => {
      await processor.drain();
      late.open();
    });
  });
  expect(await refused).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('comes too late'),
  });
});

test('a signal that the step refuses is dropped, and the wait goes on', async () => {
  const { processor, id } = await added(({ step }) => step.waitForSignal('paid', { schema: z.number() }));
  await processor.signal(id, 'paid', 'twelve');
  expect(await processor.drain()).toMatchObject({ suspended: 1 });
  expect((await processor.jobs.steps(id)).signals).toEqual([]);
  expect((await processor.jobs.log(id)).lines.map(({ message }) => message)).toEqual([
    expect.stringContaining('A signal was dropped'),
  ]);
  await processor.signal(id, 'paid', 12);
  await processor.drain();
  expect(await processor.getJobResult(id)).toBe(12);
});

test('a job takes 100 signals at most, and none when it is settled or unknown', async () => {
  const { processor, id } = await added(() => 'done');
  await Promise.all(Array.from({ length: 100 }, (_, n) => processor.signal(id, 'tick', n)));
  await expect(processor.signal(id, 'tick')).rejects.toMatchObject({ code: 'conflict' });
  await expect(processor.signal('nobody', 'tick')).rejects.toMatchObject({ code: 'not_found' });
  await expect(processor.signal(id, '')).rejects.toMatchObject({ code: 'validation_failed' });
  await expect(processor.signal(id, 'tick', () => {})).rejects.toMatchObject({ code: 'validation_failed' });
});

test('a mailbox takes few large signals, so that the document stays within its limit', async () => {
  const { processor, id } = await added(({ step }) => step.waitForSignal('go'));
  for (let n = 0; n < 10; n += 1) await processor.signal(id, 'other', 'b'.repeat(60 * 1024));

  const more = processor.signal(id, 'other', 'b'.repeat(5 * 1024));
  await expect(more).rejects.toThrow('takes no more signals of over 4096 bytes: 10 wait for it already');
  expect(await processor.signal(id, 'go', 1)).toEqual({ outcome: 'delivered' });
});

test('an output that does not fit beside the input and the steps is refused with its limit', async () => {
  const large = (megabytes: number) => 'a'.repeat(megabytes * 1024 * 1024 - 100);
  const { processor, id, lastError } = await added(async ({ step }) => {
    await step.run('large', () => large(1));
    return large(4);
  });
  await jobs().updateOne({ _id: id }, { $set: { input: large(10) } });
  await processor.drain();
  expect(await lastError()).toMatch(
    /Output of job 'order' is invalid: expected at most \d+ bytes as BSON beside/,
  );
});

test('a signal for a job that a limit has put off tells no worker', async () => {
  const { processor, id } = await added(({ step }) => step.waitForSignal('go'));
  await processor.drain();
  await jobs().updateOne({ _id: id }, { $set: { runAt: new Date(Date.now() + 60_000) } });
  const told: number[] = [];
  const telling = database.processor({ kick: async ({ jobs: count }) => void told.push(count) });
  await telling.signal(id, 'go');
  await jobs().updateOne({ _id: id }, { $set: { runAt: new Date('9999-12-31T00:00:00Z') } });
  await telling.signal(id, 'go');
  await eventually(async () => expect(told).toEqual([1]));
});

test('the answer to a link that older code sent is taken, though its step has another name by now', async () => {
  const callbacks = { url: 'https://jobs.example.com', secrets: ['a-secret-for-links-of-callbacks-1234'] };
  const processor = database.processor({ callbacks });
  const asking = (name: string, was: string[]) =>
    jobThat(async ({ step }) => {
      const { url, wait } = await step.callback(name, { was });
      urls.push(url);
      return wait();
    });
  const urls: string[] = [];
  await processor.addJobFactory(asking('approval', []));
  const id = await processor.addJob('order', {});
  await processor.drain();

  const newer = database.processor({ callbacks });
  await newer.addJobFactory(asking('consent', ['approval']));
  await newer.signal(id, 'callback 1 approval', { approved: true });
  await newer.drain();
  expect(await newer.getJobResult(id)).toEqual({ approved: true });
  expect(new Set(urls).size).toBe(1);
});

test('a step that was renamed between two tries keeps its idempotency key', async () => {
  const keys = new Set<string>();
  const paying = (name: string, was: string[]) =>
    jobThat(({ step }) =>
      step.run(name, { was, retry: { attempts: 2, delay: '1h' } }, ({ idempotencyKey, attempt }) => {
        keys.add(idempotencyKey);
        if (attempt === 1) throw new Error('not yet');
      }),
    );
  const processor = database.processor();
  await processor.addJobFactory(paying('pay', []));
  const id = await processor.addJob('order', {});
  await processor.drain();
  await endWaits(database.db, id);
  const newer = database.processor();
  await newer.addJobFactory(paying('charge', ['pay']));
  await newer.drain();
  expect([await newer.getJobStatus(id), keys.size]).toEqual(['completed', 1]);
});

test('a step that no attempt has enough time for fails with what is wrong', async () => {
  const work = ({ step }: JobContext<unknown>) => step.run('long', { expectedDuration: '1m' }, () => 1);
  const { processor, lastError } = await added(work, { timeout: 50_000, maxRetries: 1 });
  await processor.drain();
  expect(await lastError()).toContain('expectedDuration: expected less than the 50000 ms');

  const other = await added(work, { maxRetries: 1 });
  await other.processor.drain({ deadline: new Date(Date.now() + 30_000), margin: 0 });
  expect(await other.lastError()).toContain('expectedDuration: expected less than');
});

test('steps that run at the same time share writes, and a run of 250 keeps its document small', async () => {
  const names = Array.from({ length: 250 }, (_, n) => `step ${n}`);
  const { processor, id } = await added(async ({ step, attempt }) => {
    await Promise.all(names.map((name) => step.run(name, () => name)));
    if (attempt === 1) throw new Error('once');
    await step.run('last', () => 1);
  });
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
  expect((await processor.jobs.steps(id)).steps).toHaveLength(251);
  const job = await database.storedJob(id);
  expect(job?.stepLog?.entries?.length).toBeLessThan(110);
});

test('an ordinary job has none of the fields', async () => {
  const { processor, id } = await added(() => 'done');
  await processor.drain();
  await processor.drain();
  const job = await database.storedJob(id);
  expect(Object.keys(job ?? {})).not.toEqual(expect.arrayContaining(['steps']));
  expect(Object.keys(job ?? {})).not.toEqual(expect.arrayContaining(['stepLog']));
});
