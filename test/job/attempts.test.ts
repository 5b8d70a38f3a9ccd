import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  ConflictError,
  defineJob,
  NotFoundError,
  RemoteException,
  ValidationError,
} from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { anything, echo, failing, flaky } from '../jobs.js';

const database = useDatabase();
const longAgo = new Date('2000-01-01T00:00:00Z');

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

class Unreadable extends Error {
  override get message(): string {
    throw new Error('no');
  }
}

async function setup(options = {}) {
  const processor = database.processor(options);
  await processor.addJobFactories([echo, anything, failing, flaky]);
  return processor;
}

/** Makes a job's lease expire now. */
const expireLease = (id: string) =>
  database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: id }, { $set: { 'lease.expires': longAgo } });

describe('how an attempt ends', () => {
  test('a return completes the job with its output', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', { a: [1, { b: null }] });
    expect(await processor.processNextJob()).toBe(true);
    expect(await processor.getJob(id)).toMatchObject({
      status: 'completed',
      output: { a: [1, { b: null }] },
      retryCounter: 1,
      errors: [],
      completed: expect.any(Date),
    });
    expect(await processor.getJob(id)).not.toHaveProperty('lease');
    expect(await processor.processNextJob()).toBe(false);
  });

  test('a RemoteException ends it in error at once', async () => {
    const processor = await setup();
    const id = await processor.addJob('failing');
    expect(await processor.processNextJob()).toBe(true);
    const job = await processor.getJob(id);
    expect(job).toMatchObject({ status: 'error', retryCounter: 1 });
    expect(job?.errors).toEqual([
      {
        at: expect.any(Date),
        attempt: 1,
        message: 'It is hopeless.',
        stack: expect.stringContaining('hopeless'),
      },
    ]);
    expect(await processor.getJobResult(id)).toBeNull();
  });

  test('any other error queues it again, retryDelay after the failure', async () => {
    const processor = await setup();
    const id = await processor.addJob('flaky', undefined, { retryDelay: '1h' });
    await processor.processNextJob();
    const job = await processor.getJob(id);
    expect(job).toMatchObject({ status: 'queued', retryCounter: 1 });
    expect(Number(job?.runAt) - Number(job?.errors[0]?.at)).toBe(3_600_000);
    expect(await processor.processNextJob()).toBe(false);
  });

  test('it has as many attempts as maxRetries says', async () => {
    const processor = await setup();
    const id = await processor.addJob('flaky', undefined, { maxRetries: 2, retryDelay: 0 });
    expect(await processor.processJobs()).toBe(2);
    expect(await processor.getJob(id)).toMatchObject({ status: 'error', retryCounter: 2 });
    expect((await processor.getJob(id))?.errors.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('what is thrown need not be an error', async () => {
    const processor = await setup();
    const odd = defineJob({ name: 'odd', run: () => Promise.reject('just text') });
    await processor.addJobFactory(odd);
    const id = await processor.addJob('odd');
    await processor.processNextJob();
    expect((await processor.getJob(id))?.errors[0]?.message).toBe('just text');
  });

  test.each<[string, unknown, string]>([
    ['a symbol', Symbol('odd'), 'Symbol(odd)'],
    ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
    ['nothing', undefined, 'undefined'],
    ['an error whose message is a number', Object.assign(new Error('x'), { message: 5 }), '5'],
    ['an error whose stack is an object', Object.assign(new Error('x'), { stack: {} }), 'x'],
    ['an error that cannot be read', new Unreadable(), 'It threw what cannot even be read.'],
    ['a proxy that refuses everything', revokedProxy(), 'It threw what cannot even be read.'],
  ])('%s that is thrown is an error like any other', async (_, thrown, message) => {
    const processor = await setup();
    await processor.addJobFactory(defineJob({ name: 'odd', run: () => Promise.reject(thrown) }));
    const id = await processor.addJob('odd');
    expect(await processor.drain()).toMatchObject({ retried: 1, abandoned: 0 });
    expect((await processor.getJob(id))?.errors[0]?.message).toBe(message);
  });

  test('an output that is refused is not told in the error, and so in no log', async () => {
    const processor = await setup();
    const user = new (class User {
      password = 'hunter2';
    })();
    await processor.addJobFactory(defineJob({ name: 'wrong', run: async () => ({ user }) }));
    const id = await processor.addJob('wrong');
    await processor.processNextJob();
    expect(await processor.getJobErrors(id)).toEqual([
      expect.stringMatching(/user: expected a plain object, not an instance of User$/),
    ]);
  });

  test.each([
    ['refused by the schema', z.string(), 7],
    ['that cannot be stored', z.unknown(), { f: () => {} }],
  ] satisfies [string, z.ZodType, unknown][])(
    'an output %s ends it in error, with the reason',
    async (_, output, returned) => {
      const processor = await setup();
      await processor.addJobFactory(defineJob({ name: 'wrong', output, run: async () => returned }));
      const id = await processor.addJob('wrong');
      await processor.processNextJob();
      expect(await processor.getJobStatus(id)).toBe('error');
      expect(await processor.getJobErrors(id)).toEqual([
        expect.stringContaining("Output of job 'wrong' is invalid"),
      ]);
    },
  );

  test('an input that the schema has come to refuse ends it in error, and the function is not called', async () => {
    const processor = await setup();
    const id = await processor.addJob('anything', 'text');
    await processor.addJobFactory(
      defineJob({ name: 'anything', input: z.number(), run: () => Promise.reject(new Error('called')) }),
    );
    await processor.processNextJob();
    expect(await processor.getJobErrors(id)).toEqual([
      expect.stringContaining("Input of job 'anything' is invalid"),
    ]);
    expect(await processor.getJobStatus(id)).toBe('error');
  });

  test('the schema transforms the input once, for the function, and the job keeps what was sent', async () => {
    const processor = await setup();
    const input = z.object({ n: z.string().transform(Number), m: z.number().default(2) });
    await processor.addJobFactory(
      defineJob({ name: 'product', input, run: async ({ input: { n, m } }) => n * m }),
    );
    const id = await processor.addJob('product', { n: '21' });
    await processor.processNextJob();
    expect(await processor.getJob(id)).toMatchObject({ input: { n: '21' }, output: 42 });
  });
});

describe('a job whose lease was lost', () => {
  test('is recovered with the reason, and its late outcome changes nothing', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', {});
    const pulled = await processor.pullNextJob();
    if (!pulled) throw new Error('nothing pulled');
    await expireLease(id);
    await processor.scheduleDueItems();
    expect(await processor.getJob(id)).toMatchObject({ status: 'queued', retryCounter: 1 });
    expect(await processor.getJobErrors(id)).toEqual([
      expect.stringMatching(/worker root-worker .* lost its lease/),
    ]);

    await expect(processor.completeJob(pulled, 'late')).rejects.toThrow(ConflictError);
    await expect(processor.failJob(pulled, new Error('late'))).rejects.toThrow(ConflictError);
    expect(await processor.getJob(id)).toMatchObject({ status: 'queued' });
  });

  test('the late outcome does not settle the next attempt either', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', {});
    const first = await processor.pullNextJob();
    await expireLease(id);
    await processor.drain({ signal: AbortSignal.abort() });
    const second = await processor.pullNextJob();
    if (!first || !second) throw new Error('nothing pulled');
    expect(second).toMatchObject({ id, retryCounter: 2 });
    expect(second.token).not.toBe(first.token);
    await expect(processor.completeJob(first, 'late')).rejects.toThrow(ConflictError);
    expect(await processor.completeJob(second, 'in time')).toBe('completed');
    expect(await processor.getJobResult(id)).toBe('in time');
  });

  test('ends in error when its attempts are used up', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', {}, { maxRetries: 1 });
    await processor.pullNextJob();
    await expireLease(id);
    await processor.scheduleDueItems();
    expect(await processor.getJobStatus(id)).toBe('error');
  });

  test('is found by processNextJob when nothing else is due', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', { a: 1 });
    await processor.pullNextJob();
    expect(await processor.processNextJob()).toBe(false);
    await expireLease(id);
    expect(await processor.processNextJob()).toBe(true);
    expect(await processor.getJobResult(id)).toEqual({ a: 1 });
  });
});

describe('cancelling', () => {
  test('a queued job never starts', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', {});
    expect(await processor.cancelJob(id)).toBe('cancelled');
    expect(await processor.processNextJob()).toBe(false);
    expect(await processor.getJobStatus(id)).toBe('cancelled');
  });

  test.each(['completed', 'failed', 'failed for good', 'lost'])(
    'a running job ends cancelled when its attempt is %s',
    async (how) => {
      const processor = await setup();
      const id = await processor.addJob('echo', {});
      const job = await processor.pullNextJob();
      if (!job) throw new Error('nothing pulled');
      expect(await processor.cancelJob(id)).toBe('processing');
      if (how === 'completed') expect(await processor.completeJob(job, 'done')).toBe('cancelled');
      if (how === 'failed') expect(await processor.failJob(job, new Error('no'))).toBe('cancelled');
      if (how === 'failed for good')
        expect(await processor.failJob(job, new RemoteException('no'))).toBe('cancelled');
      if (how === 'lost') {
        await expireLease(id);
        await processor.scheduleDueItems();
      }
      expect(await processor.getJobStatus(id)).toBe('cancelled');
      expect(await processor.getJobResult(id)).toBeNull();
    },
  );

  test('a settled job is an error that says so', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', {});
    await processor.processNextJob();
    await expect(processor.cancelJob(id)).rejects.toThrow("settled already, with status 'completed'");
    await expect(processor.cancelJob('nobody')).rejects.toThrow(NotFoundError);
  });
});

describe('changing a job', () => {
  test('what is queued can be changed', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', {});
    await processor.updateJob(id, {
      priority: 5,
      queue: '$queue',
      maxRetries: 9,
      retryDelay: '1m',
      runAt: longAgo,
    });
    expect(await processor.getJob(id)).toMatchObject({
      priority: 5,
      queue: '$queue',
      maxRetries: 9,
      retryDelay: 60_000,
      runAt: longAgo,
    });
  });

  test('a job that is queued has an attempt left, whatever maxRetries it is given', async () => {
    const processor = await setup();
    const id = await processor.addJob('flaky', undefined, { retryDelay: 0 });
    await processor.processNextJob();
    await processor.processNextJob();
    await processor.updateJob(id, { maxRetries: 1 });
    expect(await processor.getJob(id)).toMatchObject({ retryCounter: 2, maxRetries: 3 });
  });

  test('what is not queued cannot', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', {});
    await processor.pullNextJob();
    await expect(processor.updateJob(id, { priority: 5 })).rejects.toThrow(ConflictError);
    await expect(processor.updateJob('nobody', { priority: 5 })).rejects.toThrow(NotFoundError);
  });

  test.each([[{}], [{ status: 'completed' }], [{ priority: '5' }], [{ runAt: 'soon' }]])(
    '%j is refused',
    async (changes) => {
      const processor = await setup();
      const id = await processor.addJob('echo', {});
      const before = await processor.getJob(id);
      // @ts-expect-error the types refuse most of these already
      await expect(processor.updateJob(id, changes)).rejects.toThrow(ValidationError);
      expect(await processor.getJob(id)).toEqual(before);
    },
  );
});

describe('removing', () => {
  test('only settled jobs, and of those the statuses asked for', async () => {
    const processor = await setup();
    await processor.addJob('echo', {});
    await processor.addJob('failing');
    await processor.processJobs();
    await processor.addJob('echo', {});
    expect(await processor.removeJobs(['error', 'error'])).toEqual({ error: 1 });
    expect(await processor.removeJobs()).toEqual({ cancelled: 0, completed: 1, error: 0 });
    expect((await processor.getJobs()).map(({ status }) => status)).toEqual(['queued']);
  });

  test('only those that settled long enough ago', async () => {
    const processor = await setup();
    const old = await processor.addJob('echo', {});
    await processor.addJob('echo', {});
    await processor.processJobs();
    await database.db
      .collection<{ _id: string }>(collectionNames.jobs)
      .updateOne({ _id: old }, { $set: { created: longAgo, completed: longAgo } });
    expect(await processor.removeJobs(['completed'], { olderThan: '30 days' })).toEqual({ completed: 1 });
    expect((await processor.getJobs()).map(({ id }) => id)).not.toContain(old);
  });

  test.each(['queued', 'processing', 'done'])('%s is refused', async (status) => {
    const processor = await setup();
    await processor.addJob('echo', {});
    // @ts-expect-error the types refuse it already
    await expect(processor.removeJobs([status])).rejects.toThrow(ValidationError);
    expect(await processor.getJobs()).toHaveLength(1);
  });
});

describe('listing', () => {
  test('by status, name and queue, page by page', async () => {
    const processor = await setup();
    for (const id of ['a', 'b', 'c']) await processor.addJob('echo', {}, { id });
    await processor.addJob('flaky', undefined, { id: 'd', queue: 'other' });
    await processor.cancelJob('b');
    const ids = async (filter: Parameters<typeof processor.getJobs>[0]) =>
      (await processor.getJobs(filter)).map(({ id }) => id);
    expect(await ids({ status: 'queued' })).toEqual(['a', 'c', 'd']);
    expect(await ids({ jobName: 'flaky' })).toEqual(['d']);
    expect(await ids({ queue: 'default', limit: 2 })).toEqual(['a', 'b']);
    expect(await ids({ order: 'newest', limit: 2 })).toEqual(['d', 'c']);
    // @ts-expect-error the types refuse it already
    await expect(processor.getJobs({ status: { $ne: 'queued' } })).rejects.toThrow(ValidationError);
  });

  test('an id that nobody has', async () => {
    const processor = await setup();
    expect(await processor.getJob('nobody')).toBeUndefined();
    await expect(processor.getJobStatus('nobody')).rejects.toThrow(NotFoundError);
    await expect(processor.getJobResult('nobody')).rejects.toThrow(NotFoundError);
    await expect(processor.getJobErrors('nobody')).rejects.toThrow(NotFoundError);
  });

  test('the text of errors can be replaced', async () => {
    const processor = await setup({
      formatJobError: ({ attempt, message }: { attempt: number; message: string }) =>
        `${attempt}: ${message}`,
    });
    const id = await processor.addJob('failing');
    await processor.processNextJob();
    expect(await processor.getJobErrors(id)).toEqual(['1: It is hopeless.']);
  });
});
