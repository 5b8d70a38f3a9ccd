import * as z from 'zod';
import { validateNow } from '../validate.js';
import { failedOf, failureRateOf } from './failed-attempts.js';
import { rangeSchema } from './find-range.js';
import { type Percentiles, percentilesOf } from './histogram.js';
import { beginOf, type Range, readSteps, stepsUntil, tableSteps } from './ranges.js';
import type { StatisticsCollections } from './roll-up-hours.js';
import { type AttemptCounts, nameOfKey } from './statistics-document.js';
import { addKind, type KindSums, noKindSums } from './sums.js';

/** Selects the statistics of all kinds of jobs. */
export interface KindsOptions {
  /** Range of time, up to now. Default: an hour. */
  readonly range?: Range | undefined;
}

/** Outcomes of the attempts of a kind of jobs in a step of time. */
export interface KindPoint {
  /** The beginning of the step. */
  readonly at: Date;
  readonly completed: number;
  /** Attempts that ended in `error`, were to be retried, or were recovered. */
  readonly failed: number;
}

/** The statistics of one kind of jobs. */
export interface KindStatistics {
  readonly jobName: string;
  readonly counts: Readonly<AttemptCounts>;
  /** Share of failed attempts among all failed and completed ones: 0 to 1. */
  readonly failureRate: number;
  /** How long the functions ran. Undefined if nothing was measured. */
  readonly run: Percentiles | undefined;
  /** How long the jobs were due before their functions were called. Undefined if nothing was measured. */
  readonly wait: Percentiles | undefined;
  /** Steps up to now, oldest first. Each lasts 5 minutes or an hour. For a week, it lasts 6 hours. */
  readonly points: readonly KindPoint[];
}

const optionsSchema = z.strictObject({ range: rangeSchema.default('1h') }) satisfies z.ZodType<
  unknown,
  KindsOptions
>;

/**
 * Returns the statistics of all kinds of jobs that had attempts in a range, those with the most failed attempts first. Costs
 * one command for an hour, and two for other ranges. They read at most 60 documents for an hour, 67 for 6 hours, 85 for a day,
 * and 230 for a week.
 *
 * @param now the database's time
 * @throws ValidationError for invalid options
 */
export async function findKinds(
  now: number,
  collections: StatisticsCollections,
  options: KindsOptions = {},
): Promise<KindStatistics[]> {
  const { range } = validateNow(optionsSchema, options, 'The call of statistics.kinds');
  const { stepMs, count } = tableSteps[range];
  const steps = stepsUntil(now, stepMs, count);
  const noPoints = () =>
    Array.from({ length: count }, (_, step) => ({ at: beginOf(steps, step), completed: 0, failed: 0 }));
  const kinds = new Map<string, { readonly sums: KindSums; readonly points: ReturnType<typeof noPoints> }>();
  await readSteps(collections, steps, { names: 1 }, ({ names = {} }, step) => {
    for (const [key, counts] of Object.entries(names)) {
      const kind = kinds.get(key) ?? { sums: noKindSums(), points: noPoints() };
      kinds.set(key, kind);
      addKind(kind.sums, counts);
      const point = kind.points[step];
      if (!point) continue;
      point.completed += counts.completed ?? 0;
      point.failed += failedOf(counts);
    }
  });
  return [...kinds]
    .map(([key, { sums, points }]) => ({ ...describe(nameOfKey(key), sums), points }))
    .sort(byTrouble);
}

function describe(jobName: string, { counts, run, wait }: KindSums): Omit<KindStatistics, 'points'> {
  return {
    jobName,
    counts,
    failureRate: failureRateOf(counts),
    run: percentilesOf(run),
    wait: percentilesOf(wait),
  };
}

function byTrouble(one: KindStatistics, other: KindStatistics): number {
  return (
    failedOf(other.counts) - failedOf(one.counts) ||
    other.counts.completed - one.counts.completed ||
    (one.jobName < other.jobName ? -1 : 1)
  );
}
