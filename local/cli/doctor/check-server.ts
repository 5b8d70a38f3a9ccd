import type { Db } from 'mongodb';
import ms from 'ms';
import type { Collections } from '../../../src/mongo/collections.js';
import { awaitMajority } from '../database/await-majority.js';
import { describeServer } from '../database/describe-server.js';
import { clockFinding } from './check-clock.js';
import { examine, type Finding, failure, ok } from './finding.js';

/** Transactions and the expressions that claims are made of are as we need them from this version on. */
const OLDEST_VERSION = 6;

/** The database server: that it answers, what it is, and what time it has. */
export async function checkServer(db: Db): Promise<readonly Finding[]> {
  return examine(
    'database',
    'Look whether the user of MONGODB_URI may read and write the database',
    async () => {
      const asked = Date.now();
      const { version, hasTransactions, time } = await describeServer(db);
      const took = Date.now() - asked;
      return [
        ok('database', `MongoDB answers in ${ms(took)}`),
        versionFinding(version),
        replicaSetFinding(hasTransactions),
        clockFinding(time.getTime() - asked - took / 2, took),
      ];
    },
  );
}

/** Whether writes reach a majority of the replica set. */
export async function checkMajority(workers: Collections['workers']): Promise<readonly Finding[]> {
  const fix = 'Look at rs.status(): more than half of the members must be up to date';
  return examine('write concern', fix, async () => {
    const asked = Date.now();
    await awaitMajority(workers);
    return ok('write concern', `a majority has a write after ${ms(Date.now() - asked)}`);
  });
}

/** Of a server of this version. */
export function versionFinding(version: string): Finding {
  return Number.parseInt(version, 10) >= OLDEST_VERSION
    ? ok('version', `MongoDB ${version}`)
    : failure('version', `MongoDB ${version} is too old`, `Upgrade it to ${OLDEST_VERSION}.0 or later`);
}

/** Of a server that has, or lacks, what schedules need. */
export function replicaSetFinding(hasTransactions: boolean): Finding {
  if (hasTransactions) return ok('replica set', 'it has transactions');
  const detail = 'the server is no member of a replica set: schedules need transactions';
  return failure(
    'replica set',
    detail,
    'Start it with --replSet and call rs.initiate(): one member is enough',
  );
}
