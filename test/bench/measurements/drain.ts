import { attempt } from '../attempt.js';
import { type Bench, inTurn, type Measurement, withJobs } from '../bench.js';
import { type ContenderName, contenderNames, type WorkerName } from '../contenders/contender.js';
import { work } from '../work.js';
import { addWorked } from '../work-figures.js';

/**
 * Most rounds are at 20 jobs at a time, where most is compared. One job at a time has the fewest, because it takes
 * longest.
 */
const FULL = { jobs: 10_000, rounds: { 1: 1, 20: 3, 100: 2 }, fewJobs: 1000 };
const QUICK = { jobs: 1000, rounds: { 1: 1, 20: 1, 100: 1 }, fewJobs: 200 };

/** The concurrency at which the floor is measured twice in a row. Any difference is noise. */
const REPEATED_AT = 20;

/** Runs empty jobs until none is left, 1, 20 and 100 at a time. */
export const drain: Measurement = {
  name: 'drain',
  about: '10,000 jobs that do nothing, 1, 20 and 100 at a time',
  async run(bench) {
    const { rounds, jobs, fewJobs } = bench.isQuick ? QUICK : FULL;
    for (const concurrency of [1, 20, 100] as const) {
      for (let round = 0; round < rounds[concurrency]; round += 1) {
        for (const contender of inTurn(contenderNames, round)) {
          const what = `drain, ${concurrency} at a time, round ${round + 1} of ${rounds[concurrency]}`;
          await attempt(bench, contender, what, () => drainOnce(bench, contender, concurrency, jobs));
        }
      }
    }
    await compareAsItComes(bench, fewJobs);
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

/** Compares few jobs, because Agenda with its defaults takes longer per job the more jobs there are. */
async function compareAsItComes(bench: Bench, jobs: number): Promise<void> {
  const under = `Drain of ${jobs.toLocaleString('en')} jobs, 20 at a time, Agenda as it comes`;
  const once = (contender: WorkerName) =>
    withJobs(bench, contender, jobs, (db) => work(bench, { contender, db, jobs, concurrency: 20 }));
  await attempt(bench, 'remote-processor', 'drain beside Agenda as it comes', async () => {
    addWorked(bench.results, under, 'remote-processor', await once('remote-processor'));
  });
  await attempt(bench, 'agenda', 'drain as it comes', async () => {
    addWorked(bench.results, under, 'agenda', await once('agenda-as-it-comes'));
  });
}
