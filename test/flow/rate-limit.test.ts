import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createTestProcessor, type TestProcessor } from '../../local/testing/index.js';
import { defineJob, type RateLimit, RateLimited } from '../../src/index.js';

const open: TestProcessor[] = [];
afterEach(() => Promise.all(open.splice(0).map((processor) => processor.close())));

/** A processor with a clock that only the test moves, and a job that may be called so often. */
async function caller(rateLimit: RateLimit, run: (input: { readonly account: string }) => void = () => {}) {
  const call = defineJob({
    name: 'call',
    input: z.object({ account: z.string() }),
    rateLimit,
    run: ({ input }) => run(input),
  });
  const processor = await createTestProcessor({ jobs: { call }, maxThreads: 10 });
  open.push(processor);
  const add = (count: number, account = 'a') =>
    processor.addJobs(Array.from({ length: count }, () => ({ job: call, input: { account } })));
  return { processor, add };
}

type Ended = Awaited<ReturnType<TestProcessor['advance']>>;

const secondsOf = (ended: Ended, since: Date) =>
  ended.map(({ at }) => (at.getTime() - since.getTime()) / 1000);

/** The largest number of moments within any window of this length. */
function mostWithin(seconds: readonly number[], window: number): number {
  return Math.max(
    0,
    ...seconds.map((from) => seconds.filter((at) => at >= from && at < from + window).length),
  );
}

test('starts are spread evenly', async () => {
  const { processor, add } = await caller({ limit: 5, period: '1s' });
  const began = processor.now();
  await add(11);
  const ended = await processor.advance('1 minute');
  expect(secondsOf(ended, began)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2]);
  expect(ended.map(({ outcome }) => outcome)).toEqual(Array(11).fill('completed'));
  for (const job of await processor.getJobs())
    expect(job).toMatchObject({ retryCounter: 1, givenBackCounter: 0, errors: [] });
});

test('a burst may start at once after a pause', async () => {
  const { processor, add } = await caller({ limit: 2, period: '1s', burst: 3 });
  const began = processor.now();
  await add(5);
  expect(secondsOf(await processor.advance('10s'), began)).toEqual([0, 0, 0, 0.5, 1]);
  await add(4);
  expect(secondsOf(await processor.advance('10s'), began)).toEqual([10, 10, 10, 10.5]);
});

test('each key has its own rate', async () => {
  const { processor, add } = await caller({ key: 'account', limit: 1, period: '1s' });
  const began = processor.now();
  await add(3, 'a');
  await add(2, 'b');
  expect(secondsOf(await processor.advance('1 minute'), began)).toEqual([0, 0, 1, 1, 2]);
});

describe('in any period, at most limit and burst jobs start', () => {
  const rule = { limit: 10, period: '10s', burst: 4 };

  test('after workers were away for long', async () => {
    const { processor, add } = await caller(rule);
    await add(30);
    await processor.advance('3s');
    await processor.queues.pause('default');
    await processor.advance('10 minutes');
    await processor.queues.resume('default');
    const began = processor.now();
    const seconds = secondsOf(await processor.advance('2 minutes'), began);
    expect(seconds.length).toBeGreaterThan(20);
    expect(mostWithin(seconds, 10)).toBeLessThanOrEqual(14);
    expect(await processor.jobs.count()).toMatchObject({ queued: { count: 0 }, completed: { count: 30 } });
  });

  test('while more and more come', async () => {
    const { processor, add } = await caller(rule);
    const began = processor.now();
    const seconds: number[] = [];
    for (let n = 0; n < 15; n += 1) {
      await add((n * 7) % 5);
      seconds.push(...secondsOf(await processor.advance(700), began));
    }
    seconds.push(...secondsOf(await processor.advance('2 minutes'), began));
    expect(seconds).toHaveLength(30);
    expect(mostWithin(seconds, 10)).toBeLessThanOrEqual(14);
  });
});

test('jobs that come later do not overtake those that wait', async () => {
  const { processor, add } = await caller({ limit: 1, period: '1s' });
  const first = await add(4);
  await processor.advance('500ms');
  const later = await add(2);
  const ended = await processor.advance('1 minute');
  expect(ended.map(({ jobId }) => jobId)).toEqual([...first.slice(1), ...later]);
});

test('a start that a cancelled job leaves unused goes to nobody who came later', async () => {
  const { processor, add } = await caller({ limit: 1, period: '1s' });
  const began = processor.now();
  const [, second = '', ...others] = await add(4);
  await processor.advance('500ms');
  await processor.cancelJob(second);
  await processor.advance('1s');
  const later = await add(1);
  const ended = await processor.advance('1 minute');
  expect(ended.map(({ jobId }) => jobId)).toEqual([...others, ...later]);
  expect(secondsOf(ended, began)).toEqual([2, 3, 4]);
});

describe('a job that is told to slow down', () => {
  test('puts off the others under its rate limit, and uses up no attempt', async () => {
    let calls = 0;
    const { processor, add } = await caller({ key: 'account', limit: 10, period: '1s' }, ({ account }) => {
      calls += 1;
      if (account === 'a' && calls === 1) throw new RateLimited('1h');
    });
    const began = processor.now();
    await add(3, 'a');
    await processor.advance('10s');
    await add(1, 'b');
    const ofB = await processor.advance('10s');
    expect(secondsOf(ofB, began)).toEqual([10]);
    const seconds = secondsOf(await processor.advance('2h'), began);
    expect(seconds).toHaveLength(3);
    expect(Math.min(...seconds)).toBe(3600);
    for (const job of await processor.getJobs()) expect(job).toMatchObject({ retryCounter: 1, errors: [] });
  });

  test('without a rate limit only puts off itself', async () => {
    let calls = 0;
    const plain = defineJob({
      name: 'plain',
      run: async () => {
        calls += 1;
        if (calls === 1) throw new RateLimited('1 minute');
      },
    });
    const processor = await createTestProcessor({ jobs: { plain }, maxThreads: 1 });
    open.push(processor);
    await processor.addJob('plain');
    await processor.addJob('plain');
    expect((await processor.drainAll()).map(({ outcome }) => outcome)).toEqual(['snoozed', 'completed']);
    expect((await processor.advance('1 minute')).map(({ outcome }) => outcome)).toEqual(['completed']);
  });
});
