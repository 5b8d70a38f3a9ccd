import * as z from 'zod';
import { jobNameSchema } from '../job/define-job.js';
import { validateNow } from '../validate.js';
import type { StatisticsPoint } from './find-statistics.js';
import { type Percentiles, percentilesOf } from './histogram.js';
import { beginOf, chartSteps, type Range, ranges, readSteps, stepsUntil } from './ranges.js';
import type { StatisticsCollections } from './roll-up-hours.js';
import { type AttemptCounts, addTo, nameKey, noCounts } from './statistics-document.js';
import { addKind, noKindSums } from './sums.js';

/** Selects the statistics of a range of time. */
export interface StatisticsRangeOptions {
  /** Range of time, up to now. Default: an hour. */
  readonly range?: Range | undefined;
  /** Kind of job. Default: all. */
  readonly jobName?: string | undefined;
}

/** The statistics of a range of time up to now. */
export interface StatisticsRange {
  readonly range: Range;
  /** The length of a point, in milliseconds. */
  readonly stepMs: number;
  /** The points, oldest first. Each begins at a whole multiple of the step in UTC. The last one is not over. */
  readonly points: readonly StatisticsPoint[];
  /** The sum of all points. */
  readonly sum: Readonly<AttemptCounts>;
  /** How long the functions of jobs ran. Undefined without a `jobName`, or if nothing was measured. */
  readonly run: Percentiles | undefined;
  /**
   * How long the jobs were due before their functions were called. Undefined without a `jobName`, or if nothing was measured.
   */
  readonly wait: Percentiles | undefined;
}

export const rangeSchema = z.enum(ranges, { error: `expected one of ${ranges.join(', ')}` });

const optionsSchema = z.strictObject({
  range: rangeSchema.default('1h'),
  jobName: jobNameSchema.optional(),
}) satisfies z.ZodType<unknown, StatisticsRangeOptions>;

/**
 * Returns the statistics of a range. Costs two commands for a day or a week, and one for shorter ranges. They read at most 60
 * documents for an hour, 360 for 6 hours, 85 for a day, and 230 for a week.
 *
 * @param now the database's time
 * @throws ValidationError for invalid options
 */
export async function findRange(
  now: number,
  collections: StatisticsCollections,
  options: StatisticsRangeOptions = {},
): Promise<StatisticsRange> {
  const { range, jobName } = validateNow(optionsSchema, options, 'The call of statistics.range');
  const { stepMs, count } = chartSteps[range];
  const steps = stepsUntil(now, stepMs, count);
  const points = Array.from({ length: count }, (_, step) => ({ at: beginOf(steps, step), ...noCounts() }));
  const sums = noKindSums();
  const key = jobName === undefined ? undefined : nameKey(jobName);
  const projection = key === undefined ? { total: 1 } : { [`names.${key}`]: 1 };
  await readSteps(collections, steps, projection, ({ total, names }, step) => {
    const counts = key === undefined ? total : names?.[key];
    const point = points[step];
    if (!counts || !point) return;
    addTo(point, counts);
    addKind(sums, counts);
  });
  return {
    range,
    stepMs,
    points,
    sum: sums.counts,
    run: percentilesOf(sums.run),
    wait: percentilesOf(sums.wait),
  };
}
