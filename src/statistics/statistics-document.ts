import {
  type CollectionDescription,
  expiring,
  formerExpiry,
  moment,
} from '../mongo/collection-description.js';
import type { StoredHistogram } from './histogram.js';

/** The counts of attempts: how they ended, and how long they took. */
export interface AttemptCounts {
  completed: number;
  /** Attempts that ended in `error`. */
  errors: number;
  cancelled: number;
  /** Attempts that failed and were queued again. */
  retried: number;
  /** Attempts in which the job postponed itself. */
  snoozed: number;
  /** Attempts after which the job waits for a moment or a signal, or begins another run. */
  suspended: number;
  /** Attempts that were unfinished when their worker had to stop. Their jobs were queued again. */
  givenBack: number;
  /** Attempts that ended after their lease was lost, so their outcomes changed nothing. */
  stale: number;
  /** Attempts that recovery ended, because their workers crashed or were cut off. */
  recovered: number;
  /** The total running time of the jobs' functions, in milliseconds. */
  durationMs: number;
}

/** Number and duration of jobs' waits for a limit. */
export interface WaitCounts {
  /** How many times a job waited. */
  waits: number;
  /** Total time of these waits, in milliseconds. */
  waitedMs: number;
}

/** The counts of one kind of jobs. An absent member is 0. */
export interface KindCounts extends Partial<AttemptCounts> {
  /** How long the functions ran. Workers of earlier versions write neither this nor `wait`. */
  readonly run?: StoredHistogram;
  /** How long the jobs were due before their functions were called. */
  readonly wait?: StoredHistogram;
}

/**
 * A document with counts. In the collection `statistics`, it covers one minute of the database's clock. In `statisticsHours`,
 * it has the sums of one hour.
 */
export interface StatisticsDocument {
  /** The beginning of the minute or hour. */
  readonly _id: Date;
  /** The counts of all jobs. An absent member is 0. */
  readonly total?: Partial<AttemptCounts>;
  /** The counts by job name, for at most 500 names. Each key is made by `nameKey`. */
  readonly names?: Readonly<Record<string, KindCounts>>;
  /** The waits by name of limit, for at most 100 names. Each key is made by `nameKey`. */
  readonly limits?: Readonly<Record<string, Partial<WaitCounts>>>;
  /** The moment of the last write. */
  readonly written: Date;
  readonly expireAt: Date;
}

export const statisticsCollection: CollectionDescription = {
  name: 'statistics',
  ours: { _id: moment, written: moment, expireAt: moment },
  // MongoDB deletes old minutes.
  indexes: [expiring('expiry', 'expireAt', { _id: moment, written: moment })],
  formerIndexes: [formerExpiry],
};

export const statisticsHoursCollection: CollectionDescription = {
  name: 'statisticsHours',
  ours: { _id: moment, written: moment, expireAt: moment },
  // MongoDB deletes old hours.
  indexes: [expiring('expiry', 'expireAt', { _id: moment, written: moment })],
  formerIndexes: [],
};

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/**
 * Maximum number of job names in a document, which bounds its size. Further names count only in the total. A document with all
 * of them takes 115 KB if each has 8 buckets in both histograms, and 630 KB if each has all buckets.
 */
export const MAX_NAMES = 500;

/** Maximum number of names of limits in a document. */
export const MAX_LIMITS = 100;

export function noCounts(): AttemptCounts {
  return {
    completed: 0,
    errors: 0,
    cancelled: 0,
    retried: 0,
    snoozed: 0,
    suspended: 0,
    givenBack: 0,
    stale: 0,
    recovered: 0,
    durationMs: 0,
  };
}

export function addTo(counts: AttemptCounts, more: Partial<AttemptCounts>): void {
  for (const name of countNames) counts[name] += more[name] ?? 0;
}

export const countNames = Object.freeze([
  'completed',
  'errors',
  'cancelled',
  'retried',
  'snoozed',
  'suspended',
  'givenBack',
  'stale',
  'recovered',
  'durationMs',
] as const satisfies readonly (keyof AttemptCounts)[]);

/**
 * Returns the name of a field for a job's or a limit's name. Names may contain dots, with which MongoDB separates fields. They
 * may look like numbers. They never contain `%`, so different names have different keys.
 */
export function nameKey(name: string): string {
  return `_${name.replaceAll('.', '%2E')}`;
}

/** Returns the name from which `nameKey` made a key. */
export function nameOfKey(key: string): string {
  return key.slice(1).replaceAll('%2E', '.');
}
