import { attempt } from '../attempt.js';
import { type Bench, type Measurement, withJobs } from '../bench.js';
import { type ContenderName, contenderNames } from '../contenders/contender.js';
import { runTask } from '../run-task.js';
import { quantile } from '../statistics.js';

const FULL = { samples: 25 };
const QUICK = { samples: 5 };

/** Measures the time from add to start in an idle process that both adds and works. */
export const latency: Measurement = {
  name: 'latency',
  about: 'from add to start, when the worker is idle',
  async run(bench) {
    const { samples } = bench.isQuick ? QUICK : FULL;
    for (const contender of contenderNames) {
      await attempt(bench, contender, 'latency', () => measure(bench, contender, samples));
    }
  },
};

async function measure(bench: Bench, contender: ContenderName, count: number): Promise<void> {
  const wakeUp = bench.server.hasChangeStreams ? 'change stream' : 'own';
  const reading = await withJobs(bench, contender, 0, (db) =>
    runTask(bench, { contender, task: 'latency', db, count, wakeUp, concurrency: 20 }),
  );
  const under = 'From add to start when idle, in one process';
  const figure = { under, better: 'less', decimals: 1 } as const;
  bench.results.add({ ...figure, name: 'median, ms' }, contender, quantile(reading.samples, 0.5));
  bench.results.add({ ...figure, name: '95 of 100 below, ms' }, contender, quantile(reading.samples, 0.95));
}
