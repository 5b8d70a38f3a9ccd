import { attempt } from '../attempt.js';
import { inTurn, type Measurement, withJobs } from '../bench.js';
import { work } from '../work.js';
import { COMMANDS_PER_JOB, JOBS_PER_SECOND } from '../work-figures.js';

const FULL = { rounds: 2, jobs: 2000 };
const QUICK = { rounds: 1, jobs: 300 };

/** The duration of a job, in milliseconds. */
const JOB_MS: [number, number] = [10, 100];

/** The contenders without the floor, which waits for the slowest job of each batch. */
const measured = ['remote-processor', 'agenda', 'mongo-jobs'] as const;

/** Runs jobs of different durations, which end one by one. */
export const busy: Measurement = {
  name: 'busy',
  about: 'jobs that take 10 to 100 ms at random, 20 at a time',
  async run(bench) {
    const { rounds, jobs } = bench.isQuick ? QUICK : FULL;
    const under = 'Jobs that take 10 to 100 ms at random, 20 at a time';
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of inTurn(measured, round)) {
        await attempt(bench, contender, `busy, round ${round + 1} of ${rounds}`, async () => {
          const worked = await withJobs(bench, contender, jobs, (db) =>
            work(bench, { contender, db, jobs, concurrency: 20, jobMs: JOB_MS }),
          );
          bench.results.add({ under, name: COMMANDS_PER_JOB, decimals: 2 }, contender, worked.commandsPerJob);
          bench.results.add(
            { under, name: JOBS_PER_SECOND, better: 'more' },
            contender,
            worked.jobsPerSecond,
          );
        });
      }
    }
  },
};
