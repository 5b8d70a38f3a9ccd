import { failedOf } from '../statistics/failed-attempts.js';
import type { AttemptCounts } from '../statistics/statistics-document.js';

/** How many attempts ended, and how many of these failed. Cancelled, postponed and given back attempts do not count. */
export interface Rate {
  readonly ended: number;
  readonly failed: number;
}

export const noRate: Rate = { ended: 0, failed: 0 };

export function rateOf(counts: Partial<AttemptCounts>): Rate {
  const failed = failedOf(counts);
  return { ended: (counts.completed ?? 0) + failed, failed };
}

export function sumOf(rates: readonly Rate[]): Rate {
  return rates.reduce(
    (sum, { ended, failed }) => ({ ended: sum.ended + ended, failed: sum.failed + failed }),
    noRate,
  );
}

/** Returns the share of failed attempts, 0 to 1. */
export function shareOf({ ended, failed }: Rate): number {
  return ended === 0 ? 0 : failed / ended;
}

/** Quantile of the normal distribution for a confidence of 97.5 %. */
const Z = 1.96;

/**
 * Returns the share of failures that is certain, given the number of attempts: the lower bound of Wilson's score interval
 * (Wilson, 1927). 1 of 1 gives 0.21, 5 of 5 give 0.57, 10 of 12 give 0.55, and 830 of 1,000 give 0.81.
 */
export function certainShareOf(rate: Rate): number {
  const { ended: n } = rate;
  if (n === 0) return 0;
  const share = shareOf(rate);
  const spread = Z * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
  return (share + Z ** 2 / (2 * n) - spread) / (1 + Z ** 2 / n);
}

/** The attempts of a step of time. */
export interface RateAt extends Rate {
  /** The beginning of the step. */
  readonly at: Date;
}

/**
 * Returns since when attempts fail at the present rate. Goes back through times of `windowMs` as long as at least half that
 * share failed in each. Returns the first failure of the earliest such time. Times without attempts do not count.
 *
 * @param rates steps, in any order
 */
export function failingSince(rates: readonly RateAt[], now: Date, windowMs: number): Date | undefined {
  const enough = shareOf(sumOf(rates.filter(({ at }) => now.getTime() - at.getTime() < windowMs))) / 2;
  const newestFirst = rates.toSorted((one, other) => other.at.getTime() - one.at.getTime());
  let since: Date | undefined;
  for (const some of windowsOf(newestFirst, now, windowMs)) {
    if (shareOf(sumOf(some)) < enough) break;
    since = some.findLast(({ failed }) => failed > 0)?.at ?? since;
  }
  return since;
}

/** Returns the steps of each window with attempts, the newest window first. */
function windowsOf(
  newestFirst: readonly RateAt[],
  now: Date,
  windowMs: number,
): readonly (readonly RateAt[])[] {
  const windows = new Map<number, RateAt[]>();
  for (const rate of newestFirst) {
    if (rate.ended === 0) continue;
    const number = Math.floor((now.getTime() - rate.at.getTime()) / windowMs);
    windows.set(number, [...(windows.get(number) ?? []), rate]);
  }
  return [...windows.values()];
}
