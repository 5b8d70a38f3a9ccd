import { patternOfExpression } from './calendar/cron-expression.js';
import type { CronFields } from './calendar/cron-fields.js';
import { nextOccurrence } from './calendar/next-occurrence.js';
import { type Pattern, patternOfLists } from './calendar/pattern.js';

export { cronProblem } from './calendar/cron-problem.js';
export { localTime } from './time-zone.js';

/** Everything that decides when an item is due. Dates are `Date`s, and durations are in milliseconds. */
export type Timing = {
  /** An IANA name. */
  readonly timeZone: string;
  /** The earliest moment of an occurrence. */
  readonly startAt?: Date | undefined;
  /** The latest moment of an occurrence, inclusive. */
  readonly endAt?: Date | undefined;
} & (
  | CronTiming
  | { readonly type: 'Delay'; readonly delay: number }
  | { readonly type: 'At'; readonly at: Date }
);

/** Either lists, all of which must match, or an expression. See `cronProblem` and `nextOccurrence`. */
type CronTiming = { readonly type: 'Cron' } & (CronFields | { readonly cron: string });

/**
 * Returns the first occurrence of an item that is activated or rescheduled at `now`. Null if there is none.
 *
 * - Cron: the first match after `now` and not before `startAt`.
 * - Delay: `startAt`, if that is after `now`. Otherwise one delay after `now`.
 * - At: its moment, even if that has passed, so that an item added a little late is due at once.
 *
 * @throws Error for an invalid cron expression or an unknown time zone. Check them first
 */
export function firstCallTime(timing: Timing, now: Date): Date | null {
  return within(timing, firstMoment(timing, now.getTime()));
}

/**
 * Returns the first occurrence after both `due`, an occurrence of the item, and `after`. Null if there is none. `after` may be
 * earlier than `due` if the clock was set back. A Delay keeps its rhythm: the result is a number of whole delays after `due`.
 * An At has only one occurrence.
 *
 * @throws errors as in `firstCallTime`
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

/**
 * Moment from which on nothing is due. Earlier years have four digits, and sums of earlier moments are within the range of a
 * Date.
 */
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
