import { attempt } from '../attempt.js';
import { type Bench, inTurn, type Measurement, withJobs } from '../bench.js';
import { type ContenderName, contenderNames } from '../contenders/contender.js';
import { work } from '../work.js';
import { addWorked } from '../work-figures.js';

const FULL = { rounds: 3, jobs: 10_000 };
const QUICK = { rounds: 1, jobs: 1500 };

/** The floor is measured twice in a row here: what differs then is noise. */
const REPEATED_AT = 20;

/** Jobs that do nothing, until none is left: 1, 20 and 100 at a time. */
export const drain: Measurement = {
  name: 'drain',
  about: '10,000 jobs that do nothing, 1, 20 and 100 at a time',
  async run(bench) {
    const { rounds, jobs } = bench.isQuick ? QUICK : FULL;
    for (let round = 0; round < rounds; round += 1) {
      for (const concurrency of [1, 20, 100]) {
        for (const contender of inTurn(contenderNames, round)) {
          const what = `drain, ${concurrency} at a time, round ${round + 1} of ${rounds}`;
          await attempt(bench, contender, what, () => drainOnce(bench, contender, concurrency, jobs));
        }
      }
    }
  },
};

async function drainOnce(
  bench: Bench,
  contender: ContenderName,
  concurrency: number,
  jobs: number,
): Promise<void> {
  const under = `Drain of ${jobs.toLocaleString('en')} jobs that do nothing, ${concurrency} at a time`;
  const once = () =>
    withJobs(bench, contender, jobs, (db) => work(bench, { contender, db, jobs, concurrency }));
  const worked = await once();
  addWorked(bench.results, under, contender, worked);
  if (contender !== 'floor' || concurrency !== REPEATED_AT) return;
  bench.results.addRepeat(worked.jobsPerSecond, (await once()).jobsPerSecond);
}
