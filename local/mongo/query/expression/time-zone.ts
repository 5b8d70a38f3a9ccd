import { CommandError } from '../../errors.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Returns how many milliseconds a zone's clock is ahead of UTC at a time. Zones are Olson names or `+hh:mm`. */
export function offsetAt(zone: string | undefined, time: number): number {
  if (zone === undefined || zone === 'Z') return 0;
  const fixed = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (fixed === null) return wallClock(formatOf(zone), time) - Math.floor(time / 1000) * 1000;
  const minutes = Number(fixed[2]) * 60 + Number(fixed[3] ?? 0);
  return (fixed[1] === '-' ? -minutes : minutes) * MINUTE;
}

/** Returns the time that a zone's clock shows, as if it were UTC, so that the `getUTC` methods read its parts. */
export function toWall(zone: string | undefined, time: number): Date {
  return new Date(time + offsetAt(zone, time));
}

/**
 * Returns the time at which a zone's clock shows `wall`. If the clock shows it twice, returns the first time. If the
 * clock skips it, uses the offset from before the gap.
 */
export function fromWall(zone: string | undefined, wall: number): Date {
  const before = offsetAt(zone, wall - DAY);
  const after = offsetAt(zone, wall + DAY);
  if (offsetAt(zone, wall - before) !== before && offsetAt(zone, wall - after) === after)
    return new Date(wall - after);
  return new Date(wall - before);
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
    return format;
  } catch {
    throw new CommandError(40485, `unrecognized time zone identifier: "${zone}"`);
  }
}

function wallClock(format: Intl.DateTimeFormat, time: number): number {
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
  const wall = new Date(0);
  wall.setUTCFullYear(year, part('month') - 1, part('day'));
  wall.setUTCHours(part('hour'), part('minute'), part('second'));
  return wall.getTime();
}
