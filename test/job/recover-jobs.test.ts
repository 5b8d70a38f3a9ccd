import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { LocalProcessor } from '../../local/processor.js';
import type { JobDocument } from '../../src/job/job.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { holdBack } from '../hold-back.js';
import { echo } from '../jobs.js';

const database = useDatabase();
const jobs = () => database.db.collection<JobDocument>(collectionNames.jobs);

/** As if one worker had claimed these jobs, the next ones, and died: their leases expired `ago` milliseconds ago. */
async function lose(
  processor: LocalProcessor,
  ids: readonly string[],
  worker: string,
  ago = 60_000,
): Promise<void> {
  for (const id of ids) {
    expect((await processor.pullNextJob())?.id).toBe(id);
    const expires = new Date(Date.now() - ago);
    await jobs().updateOne({ _id: id }, { $set: { 'lease.worker': worker, 'lease.expires': expires } });
  }
}

async function setup(ids: readonly string[], options = {}) {
  const processor = database.processor(options);
  await processor.addJobFactory(echo);
  for (const id of ids) await processor.addJob('echo', {}, { id });
  return processor;
}

const recover = (processor: LocalProcessor) => processor.scheduleDueItems();

describe('jobs that were lost together', () => {
  test('use up no attempt, and are run alone next', async () => {
    const processor = await setup(['a', 'b', 'c']);
    await lose(processor, ['a', 'b', 'c'], 'dead');
    await recover(processor);
    for (const job of await jobs().find().toArray()) {
      expect(job).toMatchObject({ status: 'queued', retryCounter: 0, givenBackCounter: 1, runAlone: true });
      expect(job.errors[0]?.message).toMatch(/worker dead lost its lease: .*run alone next/);
    }
  });

  test('of different workers were not together', async () => {
    const processor = await setup(['a', 'b']);
    await lose(processor, ['a'], 'dead');
    await lose(processor, ['b'], 'dead as well');
    await recover(processor);
    for (const job of await processor.getJobs())
      expect(job).toMatchObject({ status: 'queued', retryCounter: 1 });
  });

  test('are waited for: the first lease to expire is not taken for the only one', async () => {
    const processor = await setup(['a', 'b'], { lease: '30s' });
    await lose(processor, ['a'], 'dying', 1);
    await lose(processor, ['b'], 'dying', -5_000);
    await recover(database.processor({ lease: '1s' }));
    expect(await processor.getJobStatus('a')).toBe('processing');
    await jobs().updateOne({ _id: 'b' }, { $set: { 'lease.expires': new Date(0) } });
    await recover(processor);
    for (const job of await jobs().find().toArray())
      expect(job).toMatchObject({ retryCounter: 0, runAlone: true });
  });

  test('are not waited for without end: a worker that lives lost this one alone', async () => {
    const processor = await setup(['a', 'b'], { lease: '30s' });
    await lose(processor, ['a'], 'alive', 20_000);
    await lose(processor, ['b'], 'alive', -20_000);
    await recover(processor);
    expect(await processor.getJob('a')).toMatchObject({ status: 'queued', retryCounter: 1 });
    expect(await processor.getJobStatus('b')).toBe('processing');
  });
});

test('a worker that lost more than one recovery ends does not keep others from being recovered', async () => {
  const processor = await setup([]);
  await processor.addJobs(Array.from({ length: 2001 }, () => ({ name: 'echo', input: {} })));
  const lease = { token: 't', worker: 'dead', expires: new Date(0), lengthMs: 30_000 };
  const processing = { status: 'processing', started: new Date(0), retryCounter: 1, lease } as const;
  await jobs().updateMany({}, { $set: processing });
  await processor.addJob('echo', {}, { id: 'other' });
  await lose(processor, ['other'], 'dead later');
  // A recovery of so many gives up after 5 s on a busy machine, and the next one begins again.
  await eventually(async () => {
    await recover(processor);
    expect(await jobs().countDocuments({ status: 'processing' })).toBe(0);
  });
  expect(await processor.getJobStatus('other')).toBe('queued');
});

describe('a job that must run alone', () => {
  const mark = (id: string) => holdBack(jobs(), { _id: id });

  test('is taken by a worker that begins, before others', async () => {
    const processor = await setup(['a', 'b', 'c'], { maxThreads: 3 });
    await mark('a');
    expect(await processor.drain()).toMatchObject({ claimed: 3 });
  });

  test('is not taken with others, and comes before them', async () => {
    const processor = await setup(['a', 'b', 'c'], { maxThreads: 3 });
    await mark('b');
    const together: string[][] = [];
    const running = new Set<string>();
    await processor.addJobFactory({
      ...echo,
      run: async ({ jobId }) => {
        running.add(jobId);
        together.push([...running]);
        await setTimeout(30); // Long enough for the worker to look for jobs to run beside it.
        running.delete(jobId);
      },
    });
    await processor.drain({ pollInterval: 1 });
    expect(together).toEqual([['b'], ['a'], ['a', 'c']]);
  });

  test('is as any other once an attempt has come to an end', async () => {
    const processor = await setup(['a']);
    await mark('a');
    await processor.processNextJob();
    expect(await database.storedJob('a')).not.toHaveProperty('runAlone');
  });
});

test('a cancelled job of a worker that lives is recovered at once, and ends cancelled', async () => {
  const processor = await setup(['a', 'b']);
  await lose(processor, ['a'], 'alive', 1);
  await lose(processor, ['b'], 'alive', -20_000);
  await processor.cancelJob('a');
  await recover(processor);
  expect(await processor.getJobStatus('a')).toBe('cancelled');
});

test('two that recover at once end each attempt once', async () => {
  const ids = Array.from({ length: 30 }, (_, n) => `job ${10 + n}`); // Of those of one millisecond the first by its id is next.
  const processor = await setup(ids);
  await lose(processor, ids, 'dead');
  await Promise.all([recover(processor), recover(database.processor()), recover(database.processor())]);
  for (const job of await processor.getJobs()) {
    expect(job).toMatchObject({ retryCounter: 0, givenBackCounter: 1 });
    expect(job.errors).toHaveLength(1);
  }
});
