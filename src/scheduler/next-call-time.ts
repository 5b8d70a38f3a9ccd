import { type CronDate, type CronExpression, CronExpressionParser } from 'cron-parser';
import type { CronFields, SchedulerItemDocument } from './item.js';

/** What decides when an item is due. */
export type Timing = { readonly timeZone: string } & (
  | ({ readonly type: 'Cron' } & CronFields)
  | { readonly type: 'Delay'; readonly delay: number }
);

/** The first call of an item that becomes active, or is rescheduled, at `now`. Null when it is never due. */
export function firstCallTime(timing: Timing, now: Date): Date | null {
  return timing.type === 'Cron' ? nextMatch(timing, now) : new Date(now.getTime() + timing.delay);
}

/**
 * The call after the one that was due at `due`, looked at from `now`: always in the future, so that a window
 * missed in downtime fires once. A `Delay` item keeps its rhythm: whole delays after `due`.
 */
export function followingCallTime(item: SchedulerItemDocument, due: Date, now: Date): Date | null {
  if (item.type === 'Cron') return nextMatch(item, now > due ? now : due);
  const missed = Math.max(0, Math.floor((now.getTime() - due.getTime()) / item.delay));
  return new Date(due.getTime() + (missed + 1) * item.delay);
}

/** The rarest day there is, a 29 February that falls on a given weekday, comes within 40 years. */
const HORIZON_YEARS = 41;

/**
 * The first moment after `after` that matches all lists, to the minute; null when there is none.
 *
 * cron-parser does the calendar. By the rules of cron it takes a restricted day of month OR a restricted day of
 * week; here both must match, so the day of week is left to this function: a day that fails is skipped whole.
 */
function nextMatch(fields: CronFields & { readonly timeZone: string }, after: Date): Date | null {
  const horizon = new Date(after);
  horizon.setUTCFullYear(horizon.getUTCFullYear() + HORIZON_YEARS);
  const expression = `${list(fields.minute)} ${list(fields.hour)} ${list(fields.dayOfMonth)} ${list(fields.month)} *`;
  const cron = parse(expression, { tz: fields.timeZone, currentDate: after, endDate: horizon });
  while (cron?.hasNext()) {
    const candidate = cron.next();
    if (matchesDayOfWeek(candidate, fields.dayOfWeek)) return candidate.toDate();
    skipRestOfDay(cron, candidate);
  }
  return null;
}

function list(values: readonly number[]): string {
  return values.length === 0 ? '*' : [...new Set(values)].sort((a, b) => a - b).join(',');
}

/** Undefined for a day that no month given has, such as 31 February: cron-parser refuses it. */
function parse(...args: Parameters<typeof CronExpressionParser.parse>): CronExpression | undefined {
  try {
    return CronExpressionParser.parse(...args);
  } catch {
    return undefined;
  }
}

/** Here 0 is Monday; for cron-parser 0 is Sunday. */
function matchesDayOfWeek(date: CronDate, daysOfWeek: readonly number[]): boolean {
  return daysOfWeek.length === 0 || daysOfWeek.includes((date.getDay() + 6) % 7);
}

function skipRestOfDay(cron: CronExpression, date: CronDate): void {
  date.setEndOfDay();
  cron.reset(date);
}
