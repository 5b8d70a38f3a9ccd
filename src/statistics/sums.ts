import { addHistogram, type Histogram } from './histogram.js';
import {
  type AttemptCounts,
  addTo,
  countNames,
  type KindCounts,
  MAX_LIMITS,
  MAX_NAMES,
  noCounts,
  type StatisticsDocument,
  type WaitCounts,
} from './statistics-document.js';

/** The counts of one kind of jobs, which can still grow. */
export interface KindSums {
  readonly counts: AttemptCounts;
  /** How long the functions ran. */
  readonly run: Histogram;
  /** How long the jobs were due before they began. */
  readonly wait: Histogram;
}

/** The counts in documents of statistics. */
export type Counted = Pick<StatisticsDocument, 'total' | 'names' | 'limits'>;

export function noKindSums(): KindSums {
  return { counts: noCounts(), run: new Map(), wait: new Map() };
}

export function addKind(sums: KindSums, more: KindCounts): void {
  addTo(sums.counts, more);
  addHistogram(sums.run, more.run);
  addHistogram(sums.wait, more.wait);
}

/** Adds up documents of statistics, by the keys of their names. */
export class Sums {
  readonly total = noCounts();
  readonly names = new Map<string, KindSums>();
  readonly limits = new Map<string, WaitCounts>();

  add({ total = {}, names = {}, limits = {} }: Counted): void {
    addTo(this.total, total);
    for (const [key, counts] of Object.entries(names)) {
      const sums = this.names.get(key) ?? noKindSums();
      this.names.set(key, sums);
      addKind(sums, counts);
    }
    for (const [key, { waits = 0, waitedMs = 0 }] of Object.entries(limits)) {
      const sums = this.limits.get(key) ?? { waits: 0, waitedMs: 0 };
      this.limits.set(key, sums);
      sums.waits += waits;
      sums.waitedMs += waitedMs;
    }
  }

  /**
   * Returns the sums in stored form. Keeps only as many names and limits as a document may have: those with the highest counts.
   */
  toStored(): Required<Counted> {
    const names = [...this.names].sort(([, one], [, other]) => attemptsOf(other) - attemptsOf(one));
    const limits = [...this.limits].sort(([, one], [, other]) => other.waitedMs - one.waitedMs);
    return {
      total: storedCounts(this.total),
      names: Object.fromEntries(names.slice(0, MAX_NAMES).map(([key, sums]) => [key, toStoredKind(sums)])),
      limits: Object.fromEntries(limits.slice(0, MAX_LIMITS)),
    };
  }
}

function attemptsOf({ counts: { durationMs: _, ...endings } }: KindSums): number {
  return Object.values(endings).reduce((sum, count) => sum + count, 0);
}

function toStoredKind({ counts, run, wait }: KindSums): KindCounts {
  return {
    ...storedCounts(counts),
    ...(run.size > 0 && { run: Object.fromEntries(run) }),
    ...(wait.size > 0 && { wait: Object.fromEntries(wait) }),
  };
}

/** Returns the counts that are not 0. */
function storedCounts(counts: AttemptCounts): Partial<AttemptCounts> {
  const stored: Partial<AttemptCounts> = {};
  for (const name of countNames) if (counts[name] > 0) stored[name] = counts[name];
  return stored;
}
