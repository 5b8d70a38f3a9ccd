import { randomBytes } from 'node:crypto';
import { attempt } from '../attempt.js';
import { backlogs, fill } from '../backlogs.js';
import type { Measurement } from '../bench.js';
import { CLAIMED, examineClaim } from '../examine-claim.js';

const FULL = [1_000, 1_000_000];
const QUICK = [1_000, 20_000];

/** Measures what a claim of this project examines while few or many jobs wait, in several ways. */
export const flat: Measurement = {
  name: 'flat',
  about: 'what a claim examines while 1,000 and 1,000,000 jobs wait, in several ways',
  async run(bench) {
    const { server, results, isQuick } = bench;
    for (const backlog of backlogs) {
      for (const count of isQuick ? QUICK : FULL) {
        const many = count.toLocaleString('en');
        await attempt(bench, 'remote-processor', `claim of ${many} jobs ${backlog.name}`, async () => {
          const db = server.client.db(`bench-${randomBytes(6).toString('hex')}`);
          try {
            await fill(db, backlog, count);
            const { find, take } = await examineClaim(server.uri, db.databaseName, backlog);
            const under = `A claim of ${CLAIMED} jobs while ${many} wait, ${backlog.name}`;
            for (const [name, value] of [
              ['documents examined to find a job', find.documents],
              ['keys examined to find a job', find.keys],
              ['documents examined to take a job', take.documents],
              ['keys examined to take a job', take.keys],
            ] as const)
              results.add({ under, name, decimals: 2 }, 'remote-processor', value / CLAIMED);
          } finally {
            await db.dropDatabase();
          }
        });
      }
    }
  },
};
