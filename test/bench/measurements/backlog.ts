import type { Db } from 'mongodb';
import { attempt } from '../attempt.js';
import { type Bench, inTurn, type Measurement, withJobs } from '../bench.js';
import { type ContenderName, contenderNames } from '../contenders/contender.js';
import { ExplainingRelay } from '../explaining-relay.js';
import { measureServer } from '../measure-server.js';
import { work } from '../work.js';
import { JOBS_PER_SECOND } from '../work-figures.js';

/**
 * The jobs run and explained are fewer than the fewest that wait, so that even a worker that takes jobs ahead never
 * runs out.
 */
const FULL = { waiting: [1_000, 100_000, 1_000_000], jobs: 500, explained: 200 };
const QUICK = { waiting: [1_000, 10_000], jobs: 200, explained: 60 };

/** Measures the cost of a job while many more wait. */
export const backlog: Measurement = {
  name: 'backlog',
  about: 'claims while 1,000, 100,000 and 1,000,000 jobs wait',
  async run(bench) {
    const { waiting, jobs, explained } = bench.isQuick ? QUICK : FULL;
    for (const [round, count] of waiting.entries()) {
      // With a million jobs, this project comes first, so that the server's memory is measured for it alone.
      for (const contender of count === 1_000_000 ? contenderNames : inTurn(contenderNames, round)) {
        const what = `backlog of ${count.toLocaleString('en')}`;
        await attempt(bench, contender, what, () =>
          withJobs(bench, contender, count, async (db) => {
            if (contender === 'remote-processor' && count === waiting.at(-1))
              await measureServer(bench, db, count);
            await explain(bench, contender, db, count, explained);
            await claim(bench, contender, db, count, jobs);
          }),
        );
      }
    }
  },
};

function heading(waiting: number): string {
  return `While ${waiting.toLocaleString('en')} jobs wait, 20 at a time`;
}

async function claim(
  bench: Bench,
  contender: ContenderName,
  db: Db,
  waiting: number,
  jobs: number,
): Promise<void> {
  const { jobsPerSecond } = await work(bench, { contender, db, jobs, moreWait: true, concurrency: 20 });
  bench.results.add(
    { under: heading(waiting), name: JOBS_PER_SECOND, better: 'more' },
    contender,
    jobsPerSecond,
  );
}

/** Explains through a relay, because a command must be explained just before it runs. */
async function explain(
  bench: Bench,
  contender: ContenderName,
  db: Db,
  waiting: number,
  jobs: number,
): Promise<void> {
  const relay = await ExplainingRelay.start(bench.server);
  try {
    const { uri } = relay;
    const worked = await work(bench, { contender, db, jobs, uri, moreWait: true, concurrency: 20 });
    const { documents, keys } = relay.examined;
    const figure = { under: heading(waiting), decimals: 1 };
    bench.results.add({ ...figure, name: 'documents examined per job' }, contender, documents / worked.jobs);
    bench.results.add({ ...figure, name: 'index keys examined per job' }, contender, keys / worked.jobs);
  } finally {
    await relay.close();
  }
}
