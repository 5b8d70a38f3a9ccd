import { remembering } from './calendar/remembering.js';

/** Whether the platform knows an IANA time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * How far a zone's clock is ahead of UTC at a moment, in milliseconds: whole seconds, since before standard time a
 * city went by the sun. Moments are milliseconds since the epoch.
 *
 * @throws RangeError for a zone that `isTimeZone` does not know
 */
export function offsetAt(timeZone: string, moment: number): number {
  const match = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(formatOf(timeZone).format(moment));
  if (match === null) return 0;
  const [, sign, hours, minutes, seconds = '0'] = match;
  const offset = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -offset : offset;
}

/** A moment as a zone's clock shows it, with its offset, to the second: `2026-03-29T03:00:00+02:00` (ISO 8601). */
export function localTime(moment: Date, timeZone: string): string {
  const offset = offsetAt(timeZone, moment.getTime());
  const clock = new Date(moment.getTime() + offset).toISOString().replace(/\.\d+Z$/, '');
  return clock + (offset < 0 ? '-' : '+') + toClockText(Math.abs(offset));
}

/** `hh:mm`, and the seconds when there are any. */
function toClockText(duration: number): string {
  return new Date(duration).toISOString().slice(11, 19).replace(/:00$/, '');
}

/** A format takes 150 µs to make and 1 µs to use. There are some 600 zones, with their old names. */
const formatOf = remembering(
  600,
  (timeZone: string) => new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }),
);
