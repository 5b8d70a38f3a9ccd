import type { Collection, Document } from 'mongodb';
import type { RateRule } from '../job/flow-rules.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { LimitDocument } from './limit-document.js';

/** How long the document of a rate limit is kept after its last moment. */
const KEPT_MS = 60_000;

/** Jobs that want to start under a rate limit. */
export interface RateRequest {
  /** How many of them were given a moment earlier, which has come now. */
  readonly expected: number;
  /** How many came just now. They do not overtake jobs that were given a moment. */
  readonly others: number;
  /** How many of them the worker can take. The others get moments. */
  readonly most: number;
}

/** Result of a reservation. */
export interface Reservation {
  /** How many jobs may start now: the expected ones first. */
  readonly granted: number;
  /** Returns the moment of the first, second … job that may not start yet. */
  momentOf(index: number): Date;
  /** The database's time. */
  readonly now: Date;
}

/**
 * Reserves moments for jobs under a rate limit, by one statement. The generic cell rate algorithm (ITU-T I.371) decides how
 * many may start now. The others get moments of their own, one interval apart, so that nobody asks in vain.
 *
 * A moment promises an order, and does not count as a start. A job is counted when it comes at its moment. So however late
 * jobs come, at most `limit + burst` start in any period.
 */
export async function reserve(
  limits: Collection<LimitDocument>,
  key: string,
  rule: RateRule,
  request: RateRequest,
): Promise<Reservation> {
  const intervalMs = rule.periodMs / rule.limit;
  const projection = { granted: 1, free: 1, from: 1, now: '$$NOW' };
  const options = { upsert: true, returnDocument: 'after', projection, ...byId } as const;
  const update = reservation(rule, intervalMs, request);
  const momentAfter = (from: Date, index: number) =>
    new Date(Math.min(Math.ceil(from.getTime() + index * intervalMs), LAST_MOMENT));
  for (;;) {
    try {
      const after = await limits.findOneAndUpdate({ _id: key }, update, options);
      const now = after && 'now' in after && after.now instanceof Date ? after.now : new Date();
      const { granted = 0, free = now, from = now } = after ?? {};
      const refused = Math.max(0, request.expected - granted);
      return {
        granted,
        now,
        momentOf: (index) =>
          index < refused ? momentAfter(free, index) : momentAfter(from, index - refused),
      };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // Another process made the document at the same moment.
    }
  }
}

/** The last moment of a Date. */
const LAST_MOMENT = 8_640_000_000_000_000;

/** Lets no job start under a rate limit for a time. */
export async function slowDown(
  limits: Collection<LimitDocument>,
  key: string,
  delayMs: number,
): Promise<void> {
  const until = { $max: ['$until', { $add: ['$$NOW', delayMs] }] };
  const next = { $max: ['$next', { $add: ['$$NOW', delayMs + KEPT_MS] }] };
  await limits.updateOne({ _id: key }, [{ $set: { until, next } }], { upsert: true, ...byId });
}

/**
 * Plans a reservation by GCRA. A job that comes at its moment may be up to one interval early by the arrival time, because
 * the job before it may have come late. GCRA still lets at most `limit + burst` start in any period.
 */
function reservation(
  rule: RateRule,
  intervalMs: number,
  { expected, others, most }: RateRequest,
): Document[] {
  // Moments are whole milliseconds, so more than one job may have the same.
  const burst = Math.max(rule.burst, Math.ceil(1 / intervalMs));
  const base = { $max: ['$tat', '$$NOW'] };
  const ahead = { $divide: [{ $subtract: [base, '$$NOW'] }, intervalMs] };
  const startsLeft = (rounded: Document) => ({
    $cond: [{ $gt: ['$until', '$$NOW'] }, 0, { $max: [0, { $subtract: [burst, rounded] }] }],
  });
  const ofExpected = { $min: [expected, most, startsLeft({ $floor: ahead })] };
  const noneWaits = { $and: [{ $not: [{ $gt: ['$tail', '$$NOW'] }] }, { $eq: ['$$ofExpected', expected] }] };
  const leftForOthers = { $max: [0, { $subtract: [startsLeft({ $ceil: ahead }), '$$ofExpected'] }] };
  const ofOthers = {
    $cond: [noneWaits, { $min: [others, { $subtract: [most, '$$ofExpected'] }, leftForOthers] }, 0],
  };
  const later = (moment: Document | string, times: unknown) => ({
    $add: [moment, { $ceil: { $multiply: [times, intervalMs] } }],
  });
  // The first moment at which the burst allows another start.
  const free = { $max: [{ $subtract: ['$tat', Math.floor((burst - 1) * intervalMs)] }, '$until', '$$NOW'] };
  const postponed = { $subtract: [expected + others, '$granted'] };
  const postponedOthers = { $min: [others, postponed] };
  const isAnyPostponed = { $gt: [postponed, 0] };
  const last = { $max: [later('$from', postponedOthers), later('$free', postponed)] };
  return [
    { $set: { granted: { $let: { vars: { ofExpected }, in: { $add: ['$$ofExpected', ofOthers] } } } } },
    { $set: { tat: later(base, '$granted') } },
    { $set: { free } },
    { $set: { from: { $max: ['$tail', '$free'] } } },
    { $set: { tail: { $cond: [isAnyPostponed, { $max: ['$tail', last] }, '$tail'] } } },
    { $set: { next: { $max: ['$next', { $add: [{ $max: ['$tail', '$tat', '$until'] }, KEPT_MS] }] } } },
  ];
}
