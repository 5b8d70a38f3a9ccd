import { type Issue, ValidationError } from '../errors.js';
import { occurrencesLeft, redefined, type SchedulerItemDocument } from './item.js';
import { firstCallTime } from './next-call-time.js';
import { isMissed, MISSED_AFTER_MS } from './plan-occurrences.js';
import { listNames, type SchedulerDefinition } from './scheduler-options.js';

/**
 * Returns the next occurrence of an item that is activated or rescheduled at `now`. Returns null if none is left. Skips
 * an occurrence that already has its job.
 */
export function callTimeFrom(item: SchedulerItemDocument, now: Date): Date | null {
  if (occurrencesLeft(item) === 0) return null;
  const { lastCallTime } = item;
  if (item.type === 'At' && item.catchUp === 'none' && isMissed(item.at, now)) return null;
  const next = firstCallTime(item, now);
  if (next === null || lastCallTime === null || next > lastCallTime) return next;
  return item.type === 'At' ? null : firstCallTime(item, lastCallTime);
}

/** Returns the item, activated at `now`. It stays inactive if no occurrence is left. */
export function activated({ ended: _, ...item }: SchedulerItemDocument, now: Date): SchedulerItemDocument {
  const nextCallTime = callTimeFrom(item, now);
  return { ...item, active: nextCallTime !== null, nextCallTime };
}

export function deactivated({ ended: _, ...item }: SchedulerItemDocument): SchedulerItemDocument {
  return { ...item, active: false, nextCallTime: null };
}

/**
 * Returns the item with another definition. If it becomes active, or its moments change, its next occurrence is computed from
 * now. Otherwise it keeps its rhythm. A new end changes only when it ends. It becomes inactive if no occurrence is left. An
 * item that ended by itself stays inactive, even with a later end.
 *
 * @param active undefined means unchanged
 */
export function redefine(
  item: SchedulerItemDocument,
  definition: SchedulerDefinition,
  active: boolean | undefined,
  now: Date,
): SchedulerItemDocument {
  const next = redefined(item, definition);
  if (active === false) return deactivated(next);
  if (!active && !item.active) return next;
  if (!item.active || !hasMomentsOf(item, next)) return activated(next, now);
  return isOver(next) ? deactivated(next) : next;
}

/** Returns whether the item ends before its next occurrence. */
function isOver(item: SchedulerItemDocument): boolean {
  const { nextCallTime, endAt } = item;
  if (nextCallTime === null || occurrencesLeft(item) === 0) return true;
  return endAt !== undefined && nextCallTime > endAt;
}

/** Returns whether both items are due at the same moments, ignoring their ends. */
export function hasMomentsOf(item: SchedulerItemDocument, other: SchedulerItemDocument): boolean {
  return contentOf(momentNames, item) === contentOf(momentNames, other);
}

/** Returns whether both items are due at the same moments and have the same end. */
export function hasTimingOf(item: SchedulerItemDocument, other: SchedulerItemDocument): boolean {
  return hasMomentsOf(item, other) && contentOf(endNames, item) === contentOf(endNames, other);
}

const momentNames: readonly string[] = [...listNames, 'type', 'cron', 'delay', 'at', 'startAt'];
const endNames: readonly string[] = ['endAt', 'maxOccurrences'];

/** Returns these fields as text. The time zone is included only for a `Cron` item. */
function contentOf(names: readonly string[], item: SchedulerItemDocument): string {
  const content = Object.entries(item).filter(
    ([name]) => names.includes(name) || (name === 'timeZone' && item.type === 'Cron'),
  );
  return JSON.stringify(content.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns the error for an item without an occurrence from `now` on. */
export function neverDue(item: SchedulerItemDocument, now: Date, subject: string): ValidationError {
  const { path, message } = whyNever(item, now);
  return new ValidationError(subject, [{ path, message: `it would never be due: ${message}` }]);
}

function whyNever(item: SchedulerItemDocument, now: Date): Issue {
  if (occurrencesLeft(item) === 0)
    return { path: 'maxOccurrences', message: `expected more than the ${item.occurrences} it has had` };
  const { endAt: _, ...endless } = item;
  const next = item.endAt && (item.nextCallTime ?? callTimeFrom(endless, now));
  if (next)
    return { path: 'endAt', message: `expected a moment after ${next.toISOString()}, when it is due` };
  switch (item.type) {
    case 'Cron':
      return {
        path: 'cron' in item ? 'cron' : 'dayOfMonth',
        message: 'expected a day that at least one of its months has',
      };
    case 'Delay':
      return { path: 'delay', message: 'expected a moment before the year 10000' };
    case 'At':
      return { path: 'at', message: whyNeverAt(item, item.at, now) };
  }
}

function whyNeverAt({ startAt, lastCallTime, catchUp }: SchedulerItemDocument, at: Date, now: Date): string {
  if (lastCallTime !== null && at <= lastCallTime)
    return `expected a moment after ${lastCallTime.toISOString()}, when it had its job`;
  if (catchUp === 'none' && isMissed(at, now))
    return `expected a moment at most ${MISSED_AFTER_MS / 1000} s ago, for catchUp 'none' makes no job of an older one`;
  return `expected a moment from ${startAt ? 'startAt' : 'now'} on, before the year 10000`;
}
