import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConflictError, defineJob, RetryAfter, Snooze, ValidationError } from '../../src/index.js';
import { retryDelayMs } from '../../src/job/retry-delay.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo, failing, flaky } from '../jobs.js';

const database = useDatabase();
const day = 86_400_000;

/** A processor that knows these jobs. */
async function setup(...factories: Parameters<typeof defineJob>[0][]) {
  const processor = database.processor();
  await processor.addJobFactories([
    echo,
    failing,
    flaky,
    ...factories.map((definition) => defineJob(definition)),
  ]);
  return processor;
}

const throwing = (error: unknown) => () => Promise.reject(error);

/** How long after its last failure a job runs next. */
async function waits(processor: Awaited<ReturnType<typeof setup>>, id: string): Promise<number> {
  const job = await processor.getJob(id);
  return Number(job?.runAt) - Number(job?.errors.at(-1)?.at);
}

describe('the delay between a failed attempt and the next', () => {
  test('is exponential with full jitter where the factory says so, and stored on the job', async () => {
    const retryDelay = { kind: 'exponential', base: '1m', cap: '1h' } as const;
    const processor = await setup({ name: 'x', retryDelay, run: throwing(new Error('no')) });
    const id = await processor.addJob('x');
    await processor.processNextJob();
    expect(await processor.getJob(id)).toMatchObject({
      retryDelay: { kind: 'exponential', base: 60_000, cap: 3_600_000 },
    });
    expect(await waits(processor, id)).toBeGreaterThanOrEqual(0);
    expect(await waits(processor, id)).toBeLessThanOrEqual(60_000);
  });

  test('doubles with each attempt up to the cap, and is any part of that', () => {
    const delay = { kind: 'exponential', base: 100, cap: 1_000 } as const;
    expect([1, 2, 3, 4, 5, 1000].map((attempt) => retryDelayMs(delay, attempt, 1))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
    const attempts = fc.integer({ min: 1, max: 1000 });
    fc.assert(
      fc.property(attempts, fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const part = retryDelayMs(delay, attempt, random);
        expect(part).toBeGreaterThanOrEqual(0);
        expect(part).toBeLessThanOrEqual(retryDelayMs(delay, attempt, 1));
      }),
    );
  });

  test('may be decided in code, from the attempt and the error', async () => {
    const retryDelay = ({ attempt, error }: { attempt: number; error: unknown }) =>
      error instanceof Error && error.message === 'busy' ? attempt * 7_000 : 0;
    const processor = await setup({ name: 'x', retryDelay, run: throwing(new Error('busy')) });
    const id = await processor.addJob('x');
    await processor.processNextJob();
    expect(await waits(processor, id)).toBe(7_000);
  });

  test('is the job’s own where it was added with one, not the factory’s', async () => {
    const processor = await setup({ name: 'x', retryDelay: () => 1, run: throwing(new Error('no')) });
    const id = await processor.addJob('x', undefined, { retryDelay: '2h' });
    await processor.processNextJob();
    expect(await waits(processor, id)).toBe(7_200_000);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('in the function');
      },
    ],
    ['returns nonsense', () => 'soon'],
  ])('is 10 s when the code that decides it %s', async (_, retryDelay) => {
    const processor = await setup({ name: 'x', retryDelay, run: throwing(new Error('no')) });
    const id = await processor.addJob('x');
    await processor.processNextJob();
    expect(await waits(processor, id)).toBe(10_000);
  });

  test.each([
    { kind: 'linear', base: 1 },
    { kind: 'exponential' },
    { kind: 'exponential', base: 1, factor: 3 },
    -1,
    null,
  ])('%j is refused', async (retryDelay) => {
    const processor = await setup();
    // @ts-expect-error the types refuse it already
    await expect(processor.addJob('echo', {}, { retryDelay })).rejects.toThrow(ValidationError);
    // @ts-expect-error the types refuse it already
    expect(() => defineJob({ name: 'x', retryDelay, run: async () => 1 })).toThrow(ValidationError);
  });
});

test('RetryAfter sets the delay, and uses up an attempt', async () => {
  const processor = await setup({ name: 'x', run: throwing(new RetryAfter('3m', 'Too many requests')) });
  const id = await processor.addJob('x', undefined, { maxRetries: 2 });
  await processor.processNextJob();
  expect(await waits(processor, id)).toBe(180_000);
  expect(await processor.getJob(id)).toMatchObject({ status: 'queued', retryCounter: 1 });
  await processor.updateJob(id, { runAt: new Date(0) });
  await processor.processNextJob();
  expect(await processor.getJob(id)).toMatchObject({ status: 'error', retryCounter: 2 });
});

test('Snooze puts a job off as often as it likes, and uses up no attempt', async () => {
  const processor = await setup({ name: 'x', maxRetries: 1, run: throwing(new Snooze('1h')) });
  const id = await processor.addJob('x');
  for (let times = 1; times <= 15; times += 1) {
    await processor.updateJob(id, { runAt: new Date(0) });
    expect(await processor.drain()).toMatchObject({ claimed: 1, snoozed: 1 });
    expect(await processor.getJob(id)).toMatchObject({
      status: 'queued',
      retryCounter: 0,
      givenBackCounter: times,
      errors: [],
    });
  }
  const job = await processor.getJob(id);
  expect(Number(job?.runAt) - Number(job?.queued)).toBe(3_600_000);
});

describe('errors', () => {
  test('the last 20 are kept, and it is told how many were dropped', async () => {
    const processor = await setup();
    const id = await processor.addJob('flaky', undefined, { maxRetries: 23, retryDelay: 0 });
    await processor.processJobs();
    const job = await processor.getJob(id);
    expect(job?.errors.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, n) => n + 4));
    expect(job?.errorsDropped).toBe(3);
  });

  test('a message and a stack of any length are cut to 8 KB, between two characters', async () => {
    const error = new Error('é€🎉'.repeat(5_000));
    const processor = await setup({ name: 'x', run: throwing(error) });
    const id = await processor.addJob('x');
    await processor.processNextJob();
    const [stored] = (await processor.getJob(id))?.errors ?? [];
    for (const text of [stored?.message ?? '', stored?.stack ?? '']) {
      expect(Buffer.byteLength(text)).toBeGreaterThan(8 * 1024 - 4);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8 * 1024);
      expect(text).not.toContain('\ufffd');
    }
  });

  test('an output that is too large ends the job in error, with its size', async () => {
    const processor = await setup({ name: 'x', run: async () => 'x'.repeat(5 * 1024 * 1024) });
    const id = await processor.addJob('x');
    await processor.processNextJob();
    expect(await processor.getJobStatus(id)).toBe('error');
    expect(await processor.getJobErrors(id)).toEqual([
      expect.stringMatching(/at most 4194304 bytes as BSON, not 52428\d\d/),
    ]);
  });
});

describe('retention', () => {
  const keptFor = async (processor: Awaited<ReturnType<typeof setup>>, id: string) => {
    const job = await processor.getJob(id);
    return job?.expireAt === undefined ? 'for good' : Number(job.expireAt) - Number(job.completed);
  };

  test('is 7 days for what completed or was cancelled, 30 days for errors; a queued job does not expire', async () => {
    const processor = await setup();
    const [completed, error, cancelled, queued] = [
      await processor.addJob('echo', {}),
      await processor.addJob('failing'),
      await processor.addJob('echo', {}, { delay: '1h' }),
      await processor.addJob('flaky'),
    ];
    await processor.cancelJob(cancelled);
    await processor.drain();
    expect(await Promise.all([completed, cancelled, error].map((id) => keptFor(processor, id)))).toEqual([
      7 * day,
      7 * day,
      30 * day,
    ]);
    expect(await processor.getJob(queued)).not.toHaveProperty('expireAt');
  });

  test('is the factory’s where it has one, and ‘forever’ keeps for good', async () => {
    const retention = { completed: 'forever', error: '1h' } as const;
    const processor = await setup(
      { name: 'good', retention, run: async () => 1 },
      { name: 'bad', retention, maxRetries: 1, run: throwing(new Error('no')) },
    );
    const [good, bad] = [await processor.addJob('good'), await processor.addJob('bad')];
    await processor.drain();
    expect([await keptFor(processor, good), await keptFor(processor, bad)]).toEqual(['for good', 3_600_000]);
  });

  test('MongoDB deletes by an index that removes at expireAt', async () => {
    const indexes = await database.db.collection(collectionNames.jobs).indexes();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { expireAt: 1 }, expireAfterSeconds: 0 }));
  });
});

describe('retryJob', () => {
  test('queues a job again that ended in error: its counter and errors stay, maxRetries goes up by one', async () => {
    const processor = await setup();
    const id = await processor.addJob('flaky', undefined, { maxRetries: 1, uniqueKey: 'k' });
    await processor.processNextJob();
    await processor.retryJob(id);
    const job = await processor.getJob(id);
    expect(job).toMatchObject({ status: 'queued', retryCounter: 1, maxRetries: 2, uniqueKey: 'k' });
    expect(job?.errors).toHaveLength(1);
    const stored = await database.storedJob(id);
    for (const field of ['expireAt', 'completed', 'freedUniqueKey']) expect(stored).not.toHaveProperty(field);
    await processor.processNextJob();
    expect(await processor.getJob(id)).toMatchObject({ status: 'error', retryCounter: 2 });
  });

  test('a cancelled job runs as if it had never been cancelled', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', { a: 1 });
    await processor.cancelJob(id);
    await processor.retryJob(id);
    await processor.processNextJob();
    expect(await processor.getJobResult(id)).toEqual({ a: 1 });
  });

  test('a conflict when another job has its unique key by now, and nothing is changed', async () => {
    const processor = await setup();
    const id = await processor.addJob('failing', undefined, { uniqueKey: 'k' });
    await processor.processNextJob();
    const before = await processor.getJob(id);
    await processor.addJob('failing', undefined, { uniqueKey: 'k' });
    await expect(processor.retryJob(id)).rejects.toThrow(ConflictError);
    expect(await processor.getJob(id)).toEqual(before);
  });

  test.each(['queued', 'processing', 'completed'])('a job that is %s cannot be', async (status) => {
    const processor = await setup();
    const id = await processor.addJob('echo', {});
    if (status === 'processing') await processor.pullNextJob();
    if (status === 'completed') await processor.processNextJob();
    await expect(processor.retryJob(id)).rejects.toThrow(`its status is '${status}'`);
    expect(await processor.getJobStatus(id)).toBe(status);
  });
});

test('a timeout beyond what a timer can wait is refused', () => {
  expect(() => defineJob({ name: 'x', timeout: '25 days', run: async () => 1 })).toThrow('at most 24 days');
});

test('a definition that is none is refused, with all that is wrong', () => {
  const broken = {
    name: 'a b',
    run: 'no',
    timeout: 0,
    expectedDuration: 'long',
    retention: { done: 1 },
    input: {},
  };
  // @ts-expect-error the types refuse it already
  expect(() => defineJob(broken)).toThrow(ValidationError);
  try {
    // @ts-expect-error the types refuse it already
    defineJob(broken);
  } catch (error) {
    const paths = error instanceof ValidationError ? error.issues.map(({ path }) => path) : [];
    expect(new Set(paths)).toEqual(
      new Set(['name', 'run', 'timeout', 'expectedDuration', 'retention.done', 'input']),
    );
  }
  expect(() => defineJob({ name: 'both', run: async () => 1, module: new URL('file:///x.js') })).toThrow(
    'run: expected run, module or runBatch, and only one of them',
  );
});
