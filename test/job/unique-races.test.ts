/** Adders, workers and settling jobs that meet at one unique key: never two that wait, and no latest input is lost. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type AddJobOptions, defineJob } from '../../src/index.js';
import { claimJobs } from '../../src/job/claim-jobs.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

type Unique = NonNullable<AddJobOptions['unique']>;

/** A job that notes what it was called with, and how many run at a time. It fails now and then. */
function notingJob() {
  const noted = { inputs: [] as number[], running: 0, most: 0 };
  const job = defineJob({
    name: 'noting',
    input: z.object({ n: z.number() }),
    maxRetries: 5,
    retryDelay: 0,
    run: async ({ input: { n }, attempt }) => {
      noted.running += 1;
      noted.most = Math.max(noted.most, noted.running);
      await wait(n % 3);
      noted.running -= 1;
      if (attempt === 1 && n % 7 === 0) throw new Error('again');
      noted.inputs.push(n);
    },
  });
  return { job, noted };
}

/** The waiting jobs that no worker has ever taken. */
const fresh = { status: 'queued', picked: { $exists: false } } as const;

const ways: readonly (readonly [string, Pick<AddJobOptions, 'unique' | 'debounce'>])[] = [
  ['replace, until settled', { unique: { key: 'k', mode: 'replace' } }],
  ['replace, until claimed', { unique: { key: 'k', mode: 'replace', until: 'claimed' } }],
  ['preserveRunAt, one queued', { unique: { key: 'k', mode: 'preserveRunAt', whileRunning: 'queueOne' } }],
  ['replace, one queued', { unique: { key: 'k', mode: 'replace', whileRunning: 'queueOne' } }],
  ['debounce', { debounce: { key: 'k', delay: 1, maxWait: 5 } }],
];

test.each(ways)('%s: four adders beside two workers', async (way, options) => {
  const { job, noted } = notingJob();
  const workers = [1, 2].map(() => database.processor({ maxThreads: 3 }));
  const [processor] = workers;
  if (!processor) throw new Error('no worker');
  for (const worker of workers) await worker.addJobFactory(job);
  const { jobs } = database.collections();
  let isAdding = true;
  const work = workers.map(async (worker) => {
    while (isAdding) await worker.drain();
  });
  let most = 0;
  const watch = (async () => {
    while (isAdding) {
      most = Math.max(most, await jobs.countDocuments(fresh));
      await wait(2);
    }
  })();

  let n = 0;
  const outcomes = new Set<string>();
  const adders = [1, 2, 3, 4].map(async () => {
    for (let round = 0; round < 15; round += 1) {
      n += 1;
      outcomes.add((await processor.jobs.add(job, { n }, options)).outcome);
      await wait(Math.random() * 4);
    }
  });
  await Promise.all(adders);
  isAdding = false;
  await Promise.all([...work, watch]);

  const last = await processor.jobs.add(job, { n: 1000 }, options);
  while ((await jobs.countDocuments({ status: { $in: ['queued', 'processing'] } })) > 0)
    await processor.drain({ linger: 50 });

  expect(most).toBeLessThanOrEqual(1);
  expect(noted.inputs).toContain(1000);
  expect(await processor.getJobStatus(last.id)).toBe('completed');
  expect(await jobs.countDocuments({ status: { $ne: 'completed' } })).toBe(0);
  expect(new Set(noted.inputs).size).toBe(noted.inputs.length);
  if (way.includes('settled') || way.includes('one queued')) expect(noted.most).toBe(1);
});

test('a job that is replaced between the find and the update of a claim runs with its new input', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const unique = { key: 'k', mode: 'replace' } satisfies Unique;
  const id = await processor.addJob('echo', { n: 1 }, { unique });
  await processor.addJob('echo', { n: 1 }, { unique: { ...unique, key: 'other' } });
  const { jobs } = database.collections();
  let isBetween = true;
  const interrupted = Object.assign(Object.create(jobs), {
    updateMany: async (...args: Parameters<typeof jobs.updateMany>) => {
      if (isBetween) await processor.addJob('echo', { n: 2 }, { unique });
      isBetween = false;
      return jobs.updateMany(...args);
    },
  });

  const lease = { token: 't', worker: 'w', leaseMs: 30_000 };
  const claimed = await claimJobs(interrupted, { jobNames: ['echo'] }, lease, 2);

  expect(claimed).toHaveLength(2);
  expect(claimed.find((job) => job.id === id)?.input).toEqual({ n: 2 });
});

test('many that add at the same moment: one is added, and the others replace it', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const unique = { key: 'k', mode: 'replace' } satisfies Unique;
  const adds = Array.from({ length: 30 }, (_, n) => processor.jobs.add('echo', { n }, { unique }));
  const added = await Promise.all(adds);
  expect(added.map(({ outcome }) => outcome).sort()).toEqual(['added', ...Array(29).fill('replaced')]);
  expect(new Set(added.map(({ id }) => id)).size).toBe(1);
});
