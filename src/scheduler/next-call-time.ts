import { type CronDate, type CronExpression, CronExpressionParser } from 'cron-parser';
import type { CronFields } from './item.js';

/** What decides when an item is due. */
export type Timing = {
  readonly timeZone: string;
  /** No occurrence before. */
  readonly startAt?: Date | undefined;
  /** No occurrence after. */
  readonly endAt?: Date | undefined;
} & (
  | ({ readonly type: 'Cron' } & CronFields)
  | { readonly type: 'Cron'; readonly cron: string }
  | { readonly type: 'Delay'; readonly delay: number }
  | { readonly type: 'At'; readonly at: Date }
);

/** The first call of an item that becomes active, or is rescheduled, at `now`. Null when it is never due. */
export function firstCallTime(timing: Timing, now: Date): Date | null {
  const { startAt } = timing;
  const from = startAt !== undefined && startAt > now ? new Date(startAt.getTime() - 1) : now;
  if (timing.type === 'Cron') return ended(timing, nextCron(timing, from));
  if (timing.type === 'At') return ended(timing, timing.at);
  return ended(timing, from === now ? new Date(now.getTime() + timing.delay) : (startAt ?? now));
}

/** The first occurrence after `after`, where `due` is one. A `Delay` item keeps its rhythm: whole delays after `due`. */
export function nextCallTime(timing: Timing, due: Date, after = due): Date | null {
  const from = after > due ? after : due;
  if (timing.type === 'Cron') return ended(timing, nextCron(timing, from));
  if (timing.type === 'At') return null;
  const missed = Math.max(0, Math.floor((from.getTime() - due.getTime()) / timing.delay));
  return ended(timing, new Date(due.getTime() + (missed + 1) * timing.delay));
}

/** What is wrong with an expression; undefined when nothing is. */
export function cronProblem(cron: string, timeZone: string): string | undefined {
  return parse(cron, { tz: timeZone, currentDate: new Date() })?.hasNext()
    ? undefined
    : 'expected a cron expression';
}

/** Local time of a moment in a zone with its offset, ISO 8601. */
export function localTime(moment: Date, _timeZone: string): string {
  return moment.toISOString();
}

function ended({ endAt }: Timing, at: Date | null): Date | null {
  return at !== null && endAt !== undefined && at > endAt ? null : at;
}

function nextCron(timing: Extract<Timing, { type: 'Cron' }>, after: Date): Date | null {
  if (!('cron' in timing)) return nextMatch(timing, after);
  return parse(timing.cron, { tz: timing.timeZone, currentDate: after })?.next().toDate() ?? null;
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
