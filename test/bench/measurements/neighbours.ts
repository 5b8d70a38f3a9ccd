import { attempt } from '../attempt.js';
import { type Bench, inTurn, type Measurement } from '../bench.js';
import type { Reading } from '../child/setting.js';
import { runTask } from '../run-task.js';
import { type Worked, work } from '../work.js';
import { JOBS_PER_SECOND, WORKER_CPU } from '../work-figures.js';
import { type Neighbour, type Places, withNeighbours, withPlace } from './with-neighbours.js';

const FULL = { rounds: 3, jobs: 20_000 };
const QUICK = { rounds: 1, jobs: 2000 };

const CONCURRENCY = 20;

/** The duration of a job in milliseconds, if jobs take time. */
const JOB_MS = 5;
const IDEAL_JOBS_PER_SECOND = (CONCURRENCY * 1000) / JOB_MS;

/** Compares with libraries on other databases, each in its fastest way, 20 jobs at a time. */
export const neighbours: Measurement = {
  name: 'neighbours',
  about: 'beside BullMQ on Redis and Graphile Worker on PostgreSQL, where those servers are installed',
  run: (bench) => withNeighbours(bench, (places) => measureAll(bench, places)),
};

async function measureAll(bench: Bench, places: Places): Promise<void> {
  const { rounds, jobs } = bench.isQuick ? QUICK : FULL;
  for (let round = 0; round < rounds; round += 1) {
    for (const [contender, uri] of inTurn([...places], round)) {
      if (contender === 'pg-boss') continue; // It fetches by polling. What it has is measured with limits.
      await attempt(bench, contender, `neighbours, round ${round + 1} of ${rounds}`, async () => {
        await addAndDrain(bench, contender, uri, jobs);
        await runShortJobs(bench, contender, uri, jobs);
      });
    }
  }
}

async function addAndDrain(bench: Bench, contender: Neighbour, uri: string, jobs: number): Promise<void> {
  const { results } = bench;
  const { added, worked } = await withAdded(bench, contender, uri, jobs, [0, 0]);
  const many = jobs.toLocaleString('en');
  const adding = { under: `Beside other databases: add ${many} jobs at once`, better: 'more' } as const;
  results.add({ ...adding, name: JOBS_PER_SECOND }, contender, (jobs / (added.ended - added.began)) * 1000);
  const cpu = { better: 'less', decimals: 3 } as const;
  results.add(
    { ...adding, ...cpu, name: 'CPU time of the producer per job, ms' },
    contender,
    added.cpuMs / jobs,
  );
  const under = `Beside other databases: drain of ${many} jobs that return something, ${CONCURRENCY} at a time`;
  results.add({ under, ...cpu, name: WORKER_CPU }, contender, worked.workerCpuMsPerJob);
  results.add({ under, better: 'more', name: JOBS_PER_SECOND }, contender, worked.jobsPerSecond);
}

async function runShortJobs(bench: Bench, contender: Neighbour, uri: string, jobs: number): Promise<void> {
  const { worked } = await withAdded(bench, contender, uri, jobs, [JOB_MS, JOB_MS]);
  const under = `Beside other databases: jobs of ${JOB_MS} ms that return something, ${CONCURRENCY} at a time`;
  const ideal = IDEAL_JOBS_PER_SECOND.toLocaleString('en');
  const percent = (worked.jobsPerSecond / IDEAL_JOBS_PER_SECOND) * 100;
  bench.results.add({ under, better: 'more', name: `% of the ideal ${ideal} jobs/s` }, contender, percent);
}

/** Adds jobs through the library itself, and has a worker run them. */
async function withAdded(
  bench: Bench,
  contender: Neighbour,
  uri: string,
  jobs: number,
  jobMs: [number, number],
): Promise<{ readonly added: Reading; readonly worked: Worked }> {
  return withPlace(bench, contender, uri, async (place) => ({
    added: await runTask(bench, { contender, task: 'add many', count: jobs, ...place }),
    worked: await work(bench, {
      contender,
      jobs,
      concurrency: CONCURRENCY,
      jobMs,
      doesReturn: true,
      ...place,
    }),
  }));
}
