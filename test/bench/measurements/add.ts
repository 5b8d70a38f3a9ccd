import { attempt } from '../attempt.js';
import { type Bench, inTurn, type Measurement, withJobs } from '../bench.js';
import { type ContenderName, contenderNames } from '../contenders/contender.js';
import { runTask } from '../run-task.js';
import { COMMANDS_PER_JOB, JOBS_PER_SECOND } from '../work-figures.js';

const FULL = { rounds: 2, one: 2000, many: 5000 };
const QUICK = { rounds: 1, one: 200, many: 500 };

/** Adds jobs, first one after the other, then as many as possible at once. */
export const add: Measurement = {
  name: 'add',
  about: 'adding jobs: one after the other, and many at once',
  async run(bench) {
    const { rounds, one, many } = bench.isQuick ? QUICK : FULL;
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of inTurn(contenderNames, round)) {
        const what = `add, round ${round + 1} of ${rounds}`;
        await attempt(bench, contender, what, async () => {
          await addOnce(bench, contender, 'add one', one);
          await addOnce(bench, contender, 'add many', many);
        });
      }
    }
  },
};

const headings = { 'add one': 'Add one after the other', 'add many': 'Add many at once' } as const;

async function addOnce(
  bench: Bench,
  contender: ContenderName,
  task: 'add one' | 'add many',
  count: number,
): Promise<void> {
  const { results } = bench;
  const under = headings[task];
  const reading = await withJobs(bench, contender, 0, (db) => runTask(bench, { contender, task, db, count }));
  const seconds = (reading.ended - reading.began) / 1000;
  results.add({ under, name: COMMANDS_PER_JOB, decimals: 2 }, contender, reading.commands / count);
  results.add({ under, name: 'bytes over the wire per job' }, contender, reading.bytes / count);
  results.add({ under, name: JOBS_PER_SECOND, better: 'more' }, contender, count / seconds);
}
