import { attempt } from '../attempt.js';
import { type Bench, inTurn, type Measurement, withJobs } from '../bench.js';
import { type ContenderName, OURS } from '../contenders/contender.js';
import { work } from '../work.js';
import { COMMANDS_PER_JOB, JOBS_PER_SECOND } from '../work-figures.js';

const FULL = { rounds: 1, noop: 60_000, busy: 10_000, crews: [1, 2, 4, 8] };
const QUICK = { rounds: 1, noop: 600, busy: 300, crews: [2, 4] };

/** Enough for the other libraries. Their claims slow down the more jobs wait, as another measurement shows. */
const MAX_OF_OTHERS = 10_000;

/** The time that workers work unless they run out of jobs. It is long compared with a process's warm-up. */
const SECONDS = 5;

/** The duration of a job, in milliseconds. */
const JOB_MS: [number, number] = [10, 100];

/** The contenders without the floor, because several floor workers would run jobs twice. */
const measured = ['remote-processor', 'agenda', 'mongo-jobs'] as const;

interface Load {
  readonly jobs: number;
  readonly jobMs?: [number, number];
  /** The text for the heading. */
  readonly of: string;
}

/** Runs several worker processes on one queue, with empty jobs and with jobs that leave the machine time for all workers. */
export const competition: Measurement = {
  name: 'competition',
  about: '1, 2, 4 and 8 worker processes on one queue',
  async run(bench) {
    const { rounds, noop, busy, crews } = bench.isQuick ? QUICK : FULL;
    const loads: Load[] = [
      { jobs: noop, of: 'jobs that do nothing' },
      { jobs: busy, jobMs: JOB_MS, of: 'jobs that take 10 to 100 ms' },
    ];
    for (let round = 0; round < rounds; round += 1) {
      for (const load of loads) {
        for (const workers of crews) {
          for (const contender of inTurn(measured, round)) {
            const what = `competition of ${workers} for ${load.of}, round ${round + 1} of ${rounds}`;
            await attempt(bench, contender, what, () => compete(bench, contender, workers, load));
          }
        }
      }
    }
  },
};

async function compete(
  bench: Bench,
  contender: ContenderName,
  workers: number,
  { jobs: atMost, jobMs, of }: Load,
): Promise<void> {
  const jobs = contender === OURS ? atMost : Math.min(atMost, MAX_OF_OTHERS);
  const {
    jobs: ran,
    commandsPerJob,
    jobsPerSecond,
    shares,
  } = await withJobs(bench, contender, jobs, (db) =>
    work(bench, {
      contender,
      db,
      jobs,
      seconds: SECONDS,
      workers,
      concurrency: 20,
      ...(jobMs && { jobMs }),
    }),
  );
  const under = `${workers} worker ${workers === 1 ? 'process' : 'processes'} on one queue of ${of}, 20 at a time each`;
  const least = Math.min(...shares) / (ran / workers);
  bench.results.add({ under, name: COMMANDS_PER_JOB, decimals: 2 }, contender, commandsPerJob);
  bench.results.add({ under, name: JOBS_PER_SECOND, better: 'more' }, contender, jobsPerSecond);
  bench.results.add({ under, name: 'jobs of the least served, % of the mean' }, contender, least * 100);
}
