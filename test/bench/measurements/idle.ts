import { attempt } from '../attempt.js';
import { type Measurement, withJobs } from '../bench.js';
import { runTask } from '../run-task.js';

const FULL = { seconds: 5 };
const QUICK = { seconds: 2 };

const measured = ['remote-processor', 'agenda', 'mongo-jobs'] as const;

/** Runs a worker that polls an empty queue every second. Each poll of this project is an invocation. */
export const idle: Measurement = {
  name: 'idle',
  about: 'commands of a worker that has nothing to do',
  async run(bench) {
    const { seconds: count } = bench.isQuick ? QUICK : FULL;
    for (const contender of measured) {
      await attempt(bench, contender, 'idle', async () => {
        const { commands } = await withJobs(bench, contender, 0, (db) =>
          runTask(bench, { contender, task: 'idle', db, count, wakeUp: 'polling', concurrency: 20 }),
        );
        const figure = {
          under: 'Idle, looking for jobs every second',
          name: 'commands per look',
          decimals: 1,
        };
        bench.results.add(figure, contender, commands / count);
      });
    }
  },
};
