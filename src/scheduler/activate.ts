import { ValidationError } from '../errors.js';
import { redefined, type SchedulerItemDocument } from './item.js';
import { firstCallTime } from './next-call-time.js';
import { listNames, type SchedulerDefinition } from './scheduler-options.js';

/**
 * The next occurrence of an item that becomes active, or is rescheduled, at `now`. Null when there is none, or none
 * any more. One that has its job already does not come again.
 */
export function callTimeFrom(item: SchedulerItemDocument, now: Date): Date | null {
  const { lastCallTime, maxOccurrences = Number.POSITIVE_INFINITY, occurrences } = item;
  if (occurrences >= maxOccurrences) return null;
  const isBefore = (at: Date) => lastCallTime !== null && at <= lastCallTime;
  const next = firstCallTime(item, now);
  if (next === null || !isBefore(next)) return next;
  return item.type === 'At' || lastCallTime === null ? null : firstCallTime(item, lastCallTime);
}

/** The item, active from `now` on; not active when it has no occurrence, or none any more. */
export function activated(item: SchedulerItemDocument, now: Date): SchedulerItemDocument {
  const nextCallTime = callTimeFrom(item, now);
  return { ...item, active: nextCallTime !== null, nextCallTime };
}

/** The item, not active. */
export function deactivated(item: SchedulerItemDocument): SchedulerItemDocument {
  return { ...item, active: false, nextCallTime: null };
}

/**
 * The item by another definition. When what decides on its occurrences changes, or it becomes active, the next one is
 * computed from now; otherwise it keeps its rhythm.
 */
export function redefine(
  item: SchedulerItemDocument,
  definition: SchedulerDefinition,
  active: boolean,
  now: Date,
): SchedulerItemDocument {
  const next = redefined(item, definition);
  if (!active) return deactivated(next);
  return item.active && timingOf(item) === timingOf(next) ? next : activated(next, now);
}

const timingNames = new Set<string>([
  ...listNames,
  ...['type', 'cron', 'delay', 'at', 'timeZone', 'startAt', 'endAt', 'maxOccurrences'],
]);

function timingOf(item: SchedulerItemDocument): string {
  const timing = Object.entries(item).filter(([name]) => timingNames.has(name));
  return JSON.stringify(timing.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What to say of an item that has no occurrence, or none any more. */
export function neverDue(
  { type, endAt, occurrences, maxOccurrences }: SchedulerItemDocument,
  subject: string,
): ValidationError {
  if (maxOccurrences !== undefined && occurrences >= maxOccurrences)
    return new ValidationError(subject, [
      { path: 'maxOccurrences', message: `it has had ${occurrences} occurrences: expected more than that` },
    ]);
  const explanation = {
    Cron: 'its fields never match together',
    Delay: 'it has no occurrence',
    At: 'its moment has passed',
  }[type];
  const until = endAt === undefined ? '' : `, or not before endAt, ${endAt.toISOString()}`;
  return new ValidationError(subject, [
    { path: '', message: `it would never be due: ${explanation}${until}` },
  ]);
}
