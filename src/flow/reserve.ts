import type { Collection, Document } from 'mongodb';
import type { RateRule } from '../job/flow-rules.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { LimitDocument } from './limit-document.js';

/** How long the document of a rate limit is kept after its last moment. */
const KEPT_MS = 60_000;

/** Jobs that want to start under a rate limit. */
export interface RateRequest {
  /** How many of them were given their moment before, which has come. */
  readonly expected: number;
  /** How many came just now. They do not overtake jobs that were given a moment. */
  readonly others: number;
}

/** What a reservation gave. */
export interface Reservation {
  /** How many jobs may start now: the expected ones first. */
  readonly granted: number;
  /** Returns the moment of the first, second … job that may not start yet. */
  momentOf(index: number): Date;
}

/**
 * Reserves moments for jobs under a rate limit, by one statement. The generic cell rate algorithm (ITU-T I.371) decides
 * how many may start now. The others get moments of their own, one interval apart, so that nobody asks in vain.
 *
 * A moment is a promise of order, not a licence: a job that comes at its moment is counted then. So however late jobs
 * come, at most `limit + burst` start in any period.
 */
export async function reserve(
  limits: Collection<LimitDocument>,
  key: string,
  rule: RateRule,
  request: RateRequest,
): Promise<Reservation> {
  const intervalMs = rule.periodMs / rule.limit;
  const options = { upsert: true, returnDocument: 'after', ...byId } as const;
  const update = reservation(rule.burst, intervalMs, request);
  for (;;) {
    try {
      const after = await limits.findOneAndUpdate({ _id: key }, update, options);
      const { granted = 0, from = new Date() } = after ?? {};
      return { granted, momentOf: (index) => new Date(Math.ceil(from.getTime() + index * intervalMs)) };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // Another process made the document at the same moment.
    }
  }
}

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

function reservation(burst: number, intervalMs: number, { expected, others }: RateRequest): Document[] {
  const base = { $max: ['$tat', '$$NOW'] };
  const aheadMs = { $subtract: [base, '$$NOW'] };
  const available = {
    $cond: [
      { $gt: ['$until', '$$NOW'] },
      0,
      { $max: [0, { $subtract: [burst, { $ceil: { $divide: [aheadMs, intervalMs] } }] }] },
    ],
  };
  const noneWaits = { $not: [{ $gt: ['$tail', '$$NOW'] }] };
  const wanted = { $cond: [noneWaits, expected + others, expected] };
  const granted = { $min: ['$$available', wanted] };
  const later = (moment: Document | string, times: unknown) => ({
    $add: [moment, { $ceil: { $multiply: [times, intervalMs] } }],
  });
  const tat = later(base, '$granted');
  // The first moment at which the burst allows another start.
  const firstFree = { $subtract: ['$tat', Math.floor((burst - 1) * intervalMs)] };
  const from = { $max: ['$tail', firstFree, '$until', '$$NOW'] };
  const postponed = { $subtract: [expected + others, '$granted'] };
  const tail = { $cond: [{ $gt: [postponed, 0] }, later('$from', postponed), '$tail'] };
  const next = { $max: ['$next', '$tail', '$tat', '$until'] };
  return [
    { $set: { granted: { $let: { vars: { available }, in: granted } } } },
    { $set: { tat } },
    { $set: { from } },
    { $set: { tail } },
    { $set: { next: { $add: [next, KEPT_MS] } } },
  ];
}
