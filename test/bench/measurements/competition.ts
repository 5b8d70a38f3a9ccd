import { attempt } from '../attempt.js';
import { type Bench, inTurn, type Measurement, withJobs } from '../bench.js';
import type { ContenderName } from '../contenders/contender.js';
import { work } from '../work.js';
import { COMMANDS_PER_JOB, JOBS_PER_SECOND } from '../work-figures.js';

const FULL = { rounds: 1, jobs: 6000, crews: [2, 4, 8] };
const QUICK = { rounds: 1, jobs: 600, crews: [2, 4] };

/** Without the floor: several of it would run jobs twice. */
const measured = ['remote-processor', 'agenda', 'mongo-jobs'] as const;

/** Several worker processes on one queue. */
export const competition: Measurement = {
  name: 'competition',
  about: '2, 4 and 8 worker processes on one queue',
  async run(bench) {
    const { rounds, jobs, crews } = bench.isQuick ? QUICK : FULL;
    for (let round = 0; round < rounds; round += 1) {
      for (const workers of crews) {
        for (const contender of inTurn(measured, round)) {
          const what = `competition of ${workers}, round ${round + 1} of ${rounds}`;
          await attempt(bench, contender, what, () => compete(bench, contender, workers, jobs));
        }
      }
    }
  },
};

async function compete(bench: Bench, contender: ContenderName, workers: number, jobs: number): Promise<void> {
  const { commandsPerJob, jobsPerSecond, shares } = await withJobs(bench, contender, jobs, (db) =>
    work(bench, { contender, db, jobs, workers, concurrency: 20 }),
  );
  const under = `${workers} worker processes on one queue, 20 at a time each`;
  const least = Math.min(...shares) / (jobs / workers);
  bench.results.add({ under, name: COMMANDS_PER_JOB, decimals: 2 }, contender, commandsPerJob);
  bench.results.add({ under, name: JOBS_PER_SECOND, better: 'more' }, contender, jobsPerSecond);
  bench.results.add({ under, name: 'jobs of the least served, % of the mean' }, contender, least * 100);
}
