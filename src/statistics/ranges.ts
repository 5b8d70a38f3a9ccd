import type { Document } from 'mongodb';
import type { StatisticsCollections } from './roll-up-hours.js';
import { HOUR_MS, MINUTE_MS } from './statistics-document.js';
import type { Counted } from './sums.js';

/** A range of time up to now. */
export type Range = '1h' | '6h' | '24h' | '7d';

/** The ranges of time for which statistics are shown. */
export const ranges = Object.freeze(['1h', '6h', '24h', '7d'] as const satisfies readonly Range[]);

/** Steps of a range. They begin at whole multiples of their length, in UTC. The last one is not over. */
export interface Steps {
  readonly first: number;
  readonly stepMs: number;
  readonly count: number;
}

/** Returns the last steps, including the current one. */
export function stepsUntil(now: number, stepMs: number, count: number): Steps {
  const last = now - (now % stepMs);
  return { first: last - (count - 1) * stepMs, stepMs, count };
}

/** Documents per batch. Two commands read a week of hours and an hour of minutes, unless the documents are large. */
const BATCH_SIZE = 1_000;

/**
 * Calls a function with each document of the steps, and the number of its step. Steps of whole hours are read by hours, up to
 * the last hour that was added up. The rest is read by minutes, of which there are about 60. Shorter steps are read by minutes.
 * Memory holds no more than a batch.
 */
export async function readSteps(
  { statistics, statisticsHours }: StatisticsCollections,
  { first, stepMs, count }: Steps,
  projection: Document,
  take: (counted: Counted, step: number) => void,
): Promise<void> {
  const end = first + count * stepMs;
  const options = { projection, batchSize: BATCH_SIZE, sort: { _id: 1 } } as const;
  const between = (from: number) => ({ _id: { $gte: new Date(from), $lt: new Date(end) } });
  let from = first;
  if (stepMs % HOUR_MS === 0) {
    for await (const hour of statisticsHours.find(between(first), options)) {
      take(hour, Math.floor((hour._id.getTime() - first) / stepMs));
      from = hour._id.getTime() + HOUR_MS;
    }
  }
  for await (const minute of statistics.find(between(from), options)) {
    take(minute, Math.floor((minute._id.getTime() - first) / stepMs));
  }
}

/** A time from one minute to another, in milliseconds since 1970. */
export interface Window {
  readonly from: number;
  readonly end: number;
}

/**
 * Calls a function with each document of a time that may begin at any minute. Reads the whole hours within it by hours, as
 * `readSteps` does. Reads the rest before and after them by minutes.
 */
export async function readWindow(
  collections: StatisticsCollections,
  { from, end }: Window,
  projection: Document,
  take: (counted: Counted) => void,
): Promise<void> {
  const wholeFrom = Math.ceil(from / HOUR_MS) * HOUR_MS;
  const hours = Math.ceil((end - wholeFrom) / HOUR_MS);
  const minutes = (first: number, last: number): Steps => ({
    first,
    stepMs: MINUTE_MS,
    count: (last - first) / MINUTE_MS,
  });
  if (hours <= 1) return readSteps(collections, minutes(from, end), projection, take);
  await readSteps(collections, { first: wholeFrom, stepMs: HOUR_MS, count: hours }, projection, take);
  if (wholeFrom > from) await readSteps(collections, minutes(from, wholeFrom), projection, take);
}

/** Returns when a step begins. */
export function beginOf({ first, stepMs }: Steps, step: number): Date {
  return new Date(first + step * stepMs);
}

/** The length and the number of the steps of a range in a chart. */
export const chartSteps: Readonly<Record<Range, { readonly stepMs: number; readonly count: number }>> = {
  '1h': { stepMs: MINUTE_MS, count: 60 },
  '6h': { stepMs: 5 * MINUTE_MS, count: 72 },
  '24h': { stepMs: HOUR_MS, count: 24 },
  '7d': { stepMs: 3 * HOUR_MS, count: 56 },
};

/**
 * Length and number of the steps of a range in a table of all kinds. The table reads whole documents, so its steps are hours
 * where possible.
 */
export const tableSteps: Readonly<Record<Range, { readonly stepMs: number; readonly count: number }>> = {
  '1h': { stepMs: 5 * MINUTE_MS, count: 12 },
  '6h': { stepMs: HOUR_MS, count: 6 },
  '24h': { stepMs: HOUR_MS, count: 24 },
  '7d': { stepMs: 6 * HOUR_MS, count: 28 },
};
