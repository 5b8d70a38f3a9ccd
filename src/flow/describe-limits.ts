import type { Collection, Document } from 'mongodb';
import { batchesOf } from '../batches-of.js';
import { jobNameOfBreaker } from '../job/breaker-rules.js';
import type { CappedCount } from '../job/count-jobs.js';
import type { JobDocument } from '../job/job.js';
import { waitingSince } from '../job/longest-waiting.js';
import type { LimitDocument } from './limit-document.js';
import { askLines, findSlotHolders, takenBy } from './line-statements.js';
import { LINES_AT_A_TIME } from './lines.js';

/** Maximum number of waiting jobs counted per limit. */
const MAX_COUNTED = 1000;

/** A limit that jobs wait for, that was used recently, or that a person has set. */
export interface Limit {
  /** The limit's name, and `=` and the key if it has one, such as `import=acme`. Begins with `rate ` for a rate limit. */
  readonly key: string;
  /** Jobs that wait for a place in it, counted up to 1,000. */
  readonly waiting: CappedCount;
  /** Moment at which the longest-waiting of the counted jobs began to wait. Null if none waits. */
  readonly oldest: Date | null;
  /** How many of its places are taken. */
  readonly taken: number;
  /** Number of places by the code, as the first waiting job knows it. Null if none waits. */
  readonly limit: number | null;
  /** Number of places that a person set, which wins over the code. Null if none did. */
  readonly max: number | null;
  /** Moment at which it was paused. Null if it is not paused. */
  readonly paused: Date | null;
  /** Moment before which no job starts, because a job was told to slow down. Null if the moment has passed. */
  readonly slowedUntil: Date | null;
  /** Strict order: id of the failed job that holds up the others. Null if none does. */
  readonly stoppedBy: string | null;
  /** State of a circuit breaker. Null for other limits. */
  readonly breaker: BreakerState | null;
}

/** State of a circuit breaker, whose key begins with `breaker `. */
export interface BreakerState {
  /** Half open means that the next job is tried, or is being tried. */
  readonly state: 'closed' | 'open' | 'halfOpen';
  /** Attempts that failed lately. 0 unless it is closed. */
  readonly failures: number;
  /** Moment at which it opened. Null if it is closed. */
  readonly opened: Date | null;
  /** When a job is tried. Null unless it is open. */
  readonly openUntil: Date | null;
}

/** Describes limits. Costs one command per 50 limits, and one more. */
export async function describeLimits(
  jobs: Collection<JobDocument>,
  documents: readonly LimitDocument[],
): Promise<Limit[]> {
  const keys = documents.map(({ _id }) => _id);
  const [lines, holders] = await Promise.all([
    Promise.all(batchesOf(keys, LINES_AT_A_TIME).map((some) => findLines(jobs, some))),
    findSlotHolders(jobs, keys, { status: 1 }),
  ]);
  const taken = takenBy(holders, keys);
  const failed = holders.filter(({ status }) => status === 'error');
  const lineOf = new Map(lines.flat().map((line) => [line.key, line]));
  return documents.map((document) => {
    const { _id: key, max = null, paused = null } = document;
    const { count = 0, oldest = null, limits = [] } = lineOf.get(key) ?? {};
    return {
      key,
      waiting: { count: Math.min(count, MAX_COUNTED), isCapped: count > MAX_COUNTED },
      oldest,
      taken: taken.get(key)?.size ?? 0,
      limit: limits.find((limit) => limit.key === key)?.limit ?? null,
      max,
      paused,
      slowedUntil: slowedUntil(document),
      stoppedBy: failed.find((job) => job.slots?.some((slot) => slot.key === key))?._id ?? null,
      breaker: breakerState(document),
    };
  });
}

/** Uses this machine's clock, which is exact enough for a list. */
function slowedUntil({ until }: LimitDocument): Date | null {
  return until !== undefined && until.getTime() > Date.now() ? until : null;
}

/** Uses this machine's clock too. */
function breakerState({ _id, failed, opened, probe, probeAt }: LimitDocument): BreakerState | null {
  if (jobNameOfBreaker(_id) === undefined) return null;
  if (!opened) return { state: 'closed', failures: failed?.length ?? 0, opened: null, openUntil: null };
  const isOpen = !probe && probeAt !== undefined && probeAt.getTime() > Date.now();
  return { state: isOpen ? 'open' : 'halfOpen', failures: 0, opened, openUntil: isOpen ? probeAt : null };
}

/** The jobs in line for a limit. */
interface Line extends Pick<JobDocument, 'limits'> {
  readonly key: string;
  readonly count: number;
  readonly oldest: Date;
}

/** Counts the jobs in these lines, by one command. */
function findLines(jobs: Collection<JobDocument>, keys: readonly string[]): Promise<Line[]> {
  return askLines<Line & Document>(jobs, keys, 1, (key) => [
    { $match: { blockedBy: key, status: 'queued' } },
    { $limit: MAX_COUNTED + 1 },
    {
      $group: {
        _id: null,
        count: { $sum: 1 },
        oldest: { $min: waitingSince },
        limits: { $first: '$limits' },
      },
    },
    { $set: { key: { $literal: key } } },
  ]);
}
