import { attempt } from '../attempt.js';
import type { Bench, Measurement } from '../bench.js';
import type { BenchLimit } from '../bench-limit.js';
import { OURS } from '../contenders/contender.js';
import { runTask } from '../run-task.js';
import { type Worked, work } from '../work.js';
import { COMMANDS_PER_JOB, JOBS_PER_SECOND, WORKER_CPU } from '../work-figures.js';
import { type Neighbour, withNeighbours, withPlace } from './with-neighbours.js';

/** Jobs of a case: how many wait, and how many of them are run. */
interface Case {
  readonly title: string;
  readonly concurrency: number;
  readonly waiting: number;
  readonly run: number;
  readonly limit?: BenchLimit;
  /** The libraries that have such a limit without paying. */
  readonly beside?: readonly Neighbour[];
}

const oneKey = { keys: 1, limits: 1 };
const manyKeys = { keys: 10_000, places: 1 };

const cases: readonly Case[] = [
  {
    title: 'no limits',
    concurrency: 20,
    waiting: 20_000,
    run: 20_000,
    beside: ['bullmq', 'graphile-worker', 'pg-boss'],
  },
  {
    title: '10,000 keys of 10 jobs, one of each at a time',
    concurrency: 20,
    waiting: 100_000,
    run: 20_000,
    limit: manyKeys,
    beside: ['graphile-worker', 'pg-boss'],
  },
  {
    title: '10,000 keys of 10 jobs, one of each at a time, 100 in all',
    concurrency: 100,
    waiting: 100_000,
    run: 20_000,
    limit: manyKeys,
  },
  {
    title: 'one key, one job at a time',
    concurrency: 20,
    waiting: 20_000,
    run: 1000,
    limit: { ...oneKey, places: 1 },
    beside: ['bullmq', 'graphile-worker', 'pg-boss'],
  },
  {
    title: 'one key, 10 jobs at a time',
    concurrency: 20,
    waiting: 20_000,
    run: 4000,
    limit: { ...oneKey, places: 10 },
    beside: ['bullmq', 'pg-boss'],
  },
  {
    title: 'one key, 100 jobs at a time',
    concurrency: 100,
    waiting: 20_000,
    run: 10_000,
    limit: { ...oneKey, places: 100 },
    beside: ['bullmq', 'pg-boss'],
  },
  {
    title: 'three limits, 1,000 keys, 10 jobs of each at a time',
    concurrency: 20,
    waiting: 20_000,
    run: 10_000,
    limit: { keys: 1000, places: 10, limits: 3 },
  },
];

/** How much smaller the quick form is. */
const QUICK = 20;

/** Runs jobs that do nothing, with and without limits. BullMQ limits a queue, Graphile Worker a named queue to one job, and pg-boss groups. */
export const limits: Measurement = {
  name: 'limits',
  about: 'jobs with limits: 10,000 keys, one key with 20,000 jobs, three limits; beside what others have',
  run: (bench) =>
    withNeighbours(bench, async (places) => {
      for (const each of cases.map((one) => (bench.isQuick ? smaller(one) : one))) {
        for (const [contender, uri] of places) {
          if (contender !== OURS && !each.beside?.includes(contender)) continue;
          await attempt(bench, contender, `limits, ${each.title}`, () =>
            runCase(bench, contender, uri, each),
          );
        }
      }
    }),
};

function smaller({ waiting, run, limit, ...rest }: Case): Case {
  const keys = Math.ceil((limit?.keys ?? 1) / QUICK);
  return { ...rest, waiting: waiting / QUICK, run: run / QUICK, ...(limit && { limit: { ...limit, keys } }) };
}

async function runCase(
  bench: Bench,
  contender: Neighbour,
  uri: string,
  { title, concurrency, waiting, run, limit }: Case,
): Promise<void> {
  const worked = await withPlace(bench, contender, uri, async (place) => {
    const setting = { contender, ...(limit && { limit }), ...place };
    await runTask(bench, { ...setting, task: 'add many', count: waiting });
    return work(bench, { ...setting, jobs: run, moreWait: run < waiting, concurrency });
  });
  addLimited(bench, `Limits: ${title}`, contender, worked);
}

function addLimited({ results }: Bench, under: string, contender: Neighbour, worked: Worked): void {
  // Counted only for MongoDB.
  if (contender === OURS)
    results.add({ under, name: COMMANDS_PER_JOB, decimals: 3 }, contender, worked.commandsPerJob);
  results.add({ under, name: JOBS_PER_SECOND, better: 'more' }, contender, worked.jobsPerSecond);
  results.add({ under, name: WORKER_CPU, better: 'less', decimals: 3 }, contender, worked.workerCpuMsPerJob);
}
