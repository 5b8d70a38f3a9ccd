import type { Db } from 'mongodb';
import ms from 'ms';
import type { Collections } from '../../../src/collections/collections.js';
import { awaitMajority } from '../database/await-majority.js';
import { describeServer } from '../database/describe-server.js';
import { clockFinding } from './check-clock.js';
import { examine, type Finding, failure, ok } from './finding.js';

/** The first major version that has transactions and the expressions of claims. */
const OLDEST_VERSION = 6;

/** Checks the database server: whether it answers, its version, its transactions and its clock. */
export async function checkServer(db: Db): Promise<readonly Finding[]> {
  return examine(
    'database',
    'Check that the user of MONGODB_URI may read and write the database',
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

/** Checks that writes reach a majority of the replica set. */
export async function checkMajority(workers: Collections['workers']): Promise<readonly Finding[]> {
  const fix = 'Look at rs.status(): more than half of the members must be up to date';
  return examine('write concern', fix, async () => {
    const asked = Date.now();
    await awaitMajority(workers);
    return ok('write concern', `a majority has a write after ${ms(Date.now() - asked)}`);
  });
}

/** Judges a server's version. */
export function versionFinding(version: string): Finding {
  return Number.parseInt(version, 10) >= OLDEST_VERSION
    ? ok('version', `MongoDB ${version}`)
    : failure('version', `MongoDB ${version} is too old`, `Upgrade it to ${OLDEST_VERSION}.0 or later`);
}

/** Judges whether a server has the transactions that schedules need. */
export function replicaSetFinding(hasTransactions: boolean): Finding {
  if (hasTransactions) return ok('replica set', 'it has transactions');
  const detail = 'the server is not a member of a replica set, and schedules need transactions';
  return failure(
    'replica set',
    detail,
    'Start it with --replSet, and call rs.initiate(). One member is enough',
  );
}
