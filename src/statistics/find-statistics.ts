import type { Collection, Db } from 'mongodb';
import ms from 'ms';
import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';
import { jobNameSchema } from '../job/define-job.js';
import { serverTime } from '../mongo/server-time.js';
import { validateNow } from '../validate.js';
import { readWindow } from './ranges.js';
import type { StatisticsCollections } from './roll-up-hours.js';
import {
  type AttemptCounts,
  addTo,
  MINUTE_MS,
  nameKey,
  nameOfKey,
  noCounts,
  type StatisticsDocument,
  type WaitCounts,
} from './statistics-document.js';
import { Sums } from './sums.js';

/** The counts of one step. */
export interface StatisticsPoint extends Readonly<AttemptCounts> {
  /** The beginning of the step, by the database's clock. */
  readonly at: Date;
}

/** Selects statistics. */
export interface StatisticsOptions {
  /** How far to look back, from a minute to 8 days. Default: an hour. */
  readonly since?: Duration | undefined;
  /** Duration of a point, in whole minutes. Default: one minute. */
  readonly step?: Duration | undefined;
  /** Kind of job. Default: all. */
  readonly jobName?: string | undefined;
}

/** Waits of jobs for all limits of a name. `import`, for example, covers `import=acme` and all other keys. */
export interface LimitWaits extends Readonly<WaitCounts> {
  /** Name of the limit. Begins with `rate `, `order `, `turn ` or `unique ` for limits of these kinds. */
  readonly limit: string;
}

/** Selects waits. */
export interface WaitsOptions {
  /** How far to look back, from a minute to 8 days. Default: an hour. */
  readonly since?: Duration | undefined;
}

const sinceSchema = durationSchema
  .refine((since) => since >= MINUTE_MS && since <= ms('8 days'), 'expected 1 minute to 8 days')
  .default(ms('1h'));

const waitsSchema = z.strictObject({ since: sinceSchema }) satisfies z.ZodType<unknown, WaitsOptions>;

const optionsSchema = z.strictObject({
  since: sinceSchema,
  step: durationSchema
    .refine((step) => step >= MINUTE_MS && step % MINUTE_MS === 0, 'expected whole minutes, at least one')
    .default(MINUTE_MS),
  jobName: jobNameSchema.optional(),
}) satisfies z.ZodType<unknown, StatisticsOptions>;

/**
 * Returns the points up to now, oldest first, including those without any counts. Each point covers a whole step. The last one
 * ends with the current minute. If the steps do not divide the time evenly, the first begins earlier. Steps may begin at any
 * minute. To get steps that begin on the hour, ask for minutes and add them up.
 *
 * Costs two commands. One of them reads at most one document per minute.
 *
 * @throws ValidationError for invalid options
 */
export async function findStatistics(
  db: Db,
  statistics: Collection<StatisticsDocument>,
  options: StatisticsOptions = {},
): Promise<StatisticsPoint[]> {
  const { since, step, jobName } = validateNow(optionsSchema, options, 'The call of getStatistics');
  const end = await endOfMinute(db);
  const first = end - Math.ceil(since / step) * step;
  const points: (AttemptCounts & { at: Date })[] = [];
  for (let at = first; at < end; at += step) points.push({ at: new Date(at), ...noCounts() });
  for (const [at, counts] of await findCounts(statistics, new Date(first), jobName)) {
    // If a new minute has just begun, it may lie after the last point.
    const point = points[Math.floor((at.getTime() - first) / step)];
    if (point && counts) addTo(point, counts);
  }
  return points;
}

/**
 * Returns how jobs waited for limits up to now, the longest total wait first. Up to an hour costs two commands that read at
 * most one document per minute. More costs four commands. These read at most about 120 minutes, and the sums of the hours
 * between.
 *
 * @throws ValidationError for invalid options
 */
export async function findWaits(
  db: Db,
  collections: StatisticsCollections,
  options: WaitsOptions = {},
): Promise<LimitWaits[]> {
  const { since } = validateNow(waitsSchema, options, 'The call of statistics.waits');
  const end = await endOfMinute(db);
  const sums = new Sums();
  const window = { from: end - Math.ceil(since / MINUTE_MS) * MINUTE_MS, end };
  await readWindow(collections, window, { limits: 1 }, (counted) => sums.add(counted));
  return [...sums.limits]
    .map(([key, waits]) => ({ limit: nameOfKey(key), ...waits }))
    .sort((one, other) => other.waitedMs - one.waitedMs);
}

/** Returns the end of the current minute, by the database's clock. */
async function endOfMinute(db: Db): Promise<number> {
  const now = (await serverTime(db)).getTime();
  return now - (now % MINUTE_MS) + MINUTE_MS;
}

type Minute = readonly [at: Date, counts: Partial<AttemptCounts> | undefined];

/** Returns the counts of each minute since `first`, of all jobs or of one name. */
async function findCounts(
  statistics: Collection<StatisticsDocument>,
  first: Date,
  jobName: string | undefined,
): Promise<Minute[]> {
  const minutes = { _id: { $gte: first } };
  if (jobName === undefined) {
    const documents = await statistics.find(minutes, { projection: { total: 1 } }).toArray();
    return documents.map(({ _id, total }) => [_id, total]);
  }
  const key = nameKey(jobName);
  const documents = await statistics.find(minutes, { projection: { [`names.${key}`]: 1 } }).toArray();
  return documents.map(({ _id, names }) => [_id, names?.[key]]);
}
