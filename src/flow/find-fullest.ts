import type { Collection } from 'mongodb';
import { blockedJobs } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { byIndex } from '../mongo/by-index.js';

/** Waiting jobs in one scan. Takes some ten milliseconds. */
const SCANNED = 5_000;

/** More lines are not looked at. Each scan either counts 5,000 jobs or passes over a line with more. */
const MAX_SCANS = 8;

/** The jobs of a limit in one scan. */
interface Counted {
  readonly _id: string;
  readonly count: number;
}

/**
 * Returns the keys of the limits that most jobs wait for, the fullest first. Looks at up to 40,000 waiting jobs, by key.
 * Passes over the rest of a line with more than 5,000 jobs. So it misses limits only if more than 40,000 jobs wait.
 */
export async function findFullest(jobs: Collection<JobDocument>, limit: number): Promise<string[]> {
  const found: Counted[] = [];
  let after = '';
  for (let scans = 0; scans < MAX_SCANS; scans += 1) {
    const counted = (await scan(jobs, after)).sort((one, other) => compareKeys(one._id, other._id));
    const isAll = counted.reduce((sum, { count }) => sum + count, 0) < SCANNED;
    // More jobs of the last limit may follow those that were read. A limit alone in its scan is full enough.
    const known = isAll || counted.length === 1 ? counted : counted.slice(0, -1);
    found.push(...known);
    after = known.at(-1)?._id ?? after;
    if (isAll) break;
  }
  return found
    .sort((one, other) => other.count - one.count)
    .slice(0, limit)
    .map(({ _id }) => _id);
}

/** Counts the next 5,000 waiting jobs by limit. */
function scan(jobs: Collection<JobDocument>, after: string): Promise<Counted[]> {
  const pipeline = [
    { $match: { blockedBy: { $gt: after }, status: 'queued' } },
    { $sort: { blockedBy: 1 } },
    { $limit: SCANNED },
    { $group: { _id: '$blockedBy', count: { $sum: 1 } } },
  ];
  return byIndex(jobs, blockedJobs, (hint) =>
    jobs.aggregate<Counted>(pipeline, { batchSize: SCANNED, ...hint }).toArray(),
  );
}

/** Compares keys as the database does, by their bytes. */
function compareKeys(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
