import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { RemoteProcessor } from '../../../src/index.js';
import { silent } from '../../chaos/silent.js';
import { attempt } from '../attempt.js';
import { type Measurement, withJobs } from '../bench.js';
import { now } from '../child/now.js';
import type { Setting } from '../child/setting.js';
import { Child } from '../child-process.js';
import { OURS } from '../contenders/contender.js';
import { contenders } from '../contenders/index.js';
import { quantile } from '../statistics.js';

const FULL = { waiting: 60_000, workers: 8, urgent: 30 };
const QUICK = { waiting: 10_000, workers: 4, urgent: 3 };

/** The time after which all workers are in the middle of the flood. */
const WARM_UP_MS = 1500;
const PAUSE_MS = 100;

/** The time between two checks of whether the job has started. The worker reports the exact time. */
const LOOK_MS = 5;

/** An urgent job that takes longer is a failure. */
const PATIENCE_MS = 10_000;

/** Measures how long a job of high priority waits among many quick ones, while all workers are busy. */
export const urgent: Measurement = {
  name: 'urgent',
  about: 'from add to start of an urgent job, among a flood of quick ones',
  async run(bench) {
    const { waiting, workers, urgent: count } = bench.isQuick ? QUICK : FULL;
    await attempt(bench, OURS, `urgent jobs beside ${workers} workers`, async () => {
      const samples = await withJobs(bench, OURS, waiting, async (db) => {
        const { uri } = bench.server;
        const setting = {
          contender: OURS,
          task: 'work',
          uri,
          database: db.databaseName,
          concurrency: 20,
        } as const;
        return withWorkers(bench.programs.worker, setting, workers, (children) =>
          addUrgentJobs(db, children, count),
        );
      });
      const under = `From add to start of an urgent job among quick ones, ${workers} workers, 20 at a time each`;
      const figure = { under, decimals: 0 };
      bench.results.add({ ...figure, name: 'median, ms' }, OURS, quantile(samples, 0.5));
      bench.results.add({ ...figure, name: 'worst, ms' }, OURS, Math.max(...samples));
    });
  },
};

async function withWorkers<Result>(
  program: string,
  setting: Setting,
  count: number,
  work: (children: readonly Child[]) => Promise<Result>,
): Promise<Result> {
  const children = await Promise.all(Array.from({ length: count }, () => Child.start(program, setting)));
  try {
    for (const child of children) child.tell('begin');
    return await work(children);
  } finally {
    for (const child of children) child.kill();
  }
}

/** Adds urgent jobs, each once the previous one has started. Resolves to the wait of each, in milliseconds. */
async function addUrgentJobs(db: Db, children: readonly Child[], count: number): Promise<number[]> {
  const processor = new RemoteProcessor({ db, log: silent });
  await sleep(WARM_UP_MS);
  const samples: number[] = [];
  for (let n = -1; n >= -count; n -= 1) {
    const added = now();
    await processor.addJob('noop', { n }, { priority: 9 });
    samples.push((await started(children, n)) - added);
    await sleep(PAUSE_MS);
  }
  if (
    (await db
      .collection(contenders[OURS].storage.collection)
      .countDocuments({ status: 'queued' }, { limit: 1 })) === 0
  )
    throw new Error('The flood was over before the last urgent job was added.');
  return samples;
}

async function started(children: readonly Child[], n: number): Promise<number> {
  const end = now() + PATIENCE_MS;
  for (;;) {
    const at = children.map(({ urgentStarts }) => urgentStarts.get(n)).find((start) => start !== undefined);
    if (at !== undefined) return at;
    if (now() > end) throw new Error(`An urgent job did not start within ${PATIENCE_MS / 1000} s.`);
    await sleep(LOOK_MS);
  }
}
