import { remembering } from './calendar/remembering.js';

/** Returns whether the platform knows an IANA time zone by this name. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns how far a zone's clock is ahead of UTC at a moment, in milliseconds. Offsets are in whole seconds, because cities
 * used solar time before standard time. Moments are in milliseconds since the epoch.
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

/** Returns a moment in a zone's local time, with its offset, to the second: `2026-03-29T03:00:00+02:00` (ISO 8601). */
export function localTime(moment: Date, timeZone: string): string {
  const offset = offsetAt(timeZone, moment.getTime());
  const clock = new Date(moment.getTime() + offset).toISOString().replace(/\.\d+Z$/, '');
  return clock + (offset < 0 ? '-' : '+') + toClockText(Math.abs(offset));
}

/** Returns a duration as `hh:mm`, with seconds if there are any. */
function toClockText(duration: number): string {
  return new Date(duration).toISOString().slice(11, 19).replace(/:00$/, '');
}

/** Formats by zone. A format takes 150 µs to make and 1 µs to use. There are about 600 zones, including old names. */
const formatOf = remembering(
  600,
  (timeZone: string) => new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }),
);
