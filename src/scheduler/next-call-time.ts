import { patternOfExpression } from './calendar/cron-expression.js';
import type { CronFields } from './calendar/cron-fields.js';
import { nextOccurrence } from './calendar/next-occurrence.js';
import { type Pattern, patternOfLists } from './calendar/pattern.js';

export { cronProblem } from './calendar/cron-problem.js';
export { localTime } from './time-zone.js';

/** What decides when an item is due: resolved; dates are `Date`s, durations milliseconds. */
export type Timing = {
  /** IANA name. */
  readonly timeZone: string;
  /** No occurrence is before it. */
  readonly startAt?: Date | undefined;
  /** No occurrence is after it; one exactly then counts. */
  readonly endAt?: Date | undefined;
} & (
  | CronTiming
  | { readonly type: 'Delay'; readonly delay: number }
  | { readonly type: 'At'; readonly at: Date }
);

/** By lists, which must all match, or by an expression: see `cronProblem` and `nextOccurrence`. */
type CronTiming = { readonly type: 'Cron' } & (CronFields | { readonly cron: string });

/**
 * The first occurrence of an item that becomes active, or is rescheduled, at `now`; null when there is none.
 *
 * - Cron: the first match after `now`, but not before `startAt`.
 * - Delay: `startAt`, when that is after `now`; otherwise one delay after `now`.
 * - At: its moment, also when that has passed, so that one that is added a little late is due at once.
 *
 * @throws Error for an invalid cron expression or an unknown time zone: check them first
 */
export function firstCallTime(timing: Timing, now: Date): Date | null {
  return within(timing, firstMoment(timing, now.getTime()));
}

/**
 * The first occurrence after `after`, where `due` is one of the item's occurrences; null when there is none. It is
 * always later than `due`: an `after` that is earlier, by a clock that was set back, counts as `due`. A Delay keeps
 * its rhythm, whole delays after `due`. An At has one occurrence only.
 *
 * @throws as `firstCallTime`
 */
export function nextCallTime(timing: Timing, due: Date, after: Date = due): Date | null {
  const later = Math.max(due.getTime(), after.getTime());
  return within(timing, followingMoment(timing, due.getTime(), later));
}

function firstMoment(timing: Timing, now: number): number | undefined {
  const startAt = timing.startAt?.getTime() ?? Number.NEGATIVE_INFINITY;
  switch (timing.type) {
    case 'Cron':
      return nextMatchOf(timing, Math.max(now, startAt - 1));
    case 'Delay':
      return startAt > now ? startAt : now + timing.delay;
    case 'At':
      return timing.at.getTime() < startAt ? undefined : timing.at.getTime();
  }
}

function followingMoment(timing: Timing, due: number, after: number): number | undefined {
  switch (timing.type) {
    case 'Cron':
      return nextMatchOf(timing, after);
    case 'Delay':
      return due + (Math.floor((after - due) / timing.delay) + 1) * timing.delay;
    case 'At':
      return undefined;
  }
}

/** From then on nothing is due: years have four digits, and sums stay within what a date can be. */
const END_OF_TIME = Date.UTC(10_000, 0, 1);

function nextMatchOf(timing: Timing & CronTiming, after: number): number | undefined {
  return after < END_OF_TIME ? nextOccurrence(patternOf(timing), timing.timeZone, after) : undefined;
}

function patternOf(timing: CronTiming): Pattern {
  return 'cron' in timing ? patternOfExpression(timing.cron) : patternOfLists(timing);
}

function within({ endAt }: Timing, moment: number | undefined): Date | null {
  const end = Math.min(endAt?.getTime() ?? Number.POSITIVE_INFINITY, END_OF_TIME - 1);
  return moment === undefined || moment > end ? null : new Date(moment);
}
