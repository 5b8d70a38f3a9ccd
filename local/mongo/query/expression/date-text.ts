import { CommandError } from '../../errors.js';
import {
  dayOfYear,
  fromCalendar,
  fromIsoWeek,
  isoDayOfWeek,
  isoWeek,
  isoWeekYear,
  weekOfYear,
} from './date-parts.js';
import { fromWall, offsetAt, toWall } from './time-zone.js';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

type Write = (wall: Date, offset: number) => string;

const WRITE: Readonly<Record<string, Write>> = {
  Y: (wall) => pad(wall.getUTCFullYear(), 4),
  m: (wall) => pad(wall.getUTCMonth() + 1, 2),
  d: (wall) => pad(wall.getUTCDate(), 2),
  H: (wall) => pad(wall.getUTCHours(), 2),
  M: (wall) => pad(wall.getUTCMinutes(), 2),
  S: (wall) => pad(wall.getUTCSeconds(), 2),
  L: (wall) => pad(wall.getUTCMilliseconds(), 3),
  j: (wall) => pad(dayOfYear(wall), 3),
  w: (wall) => String(wall.getUTCDay() + 1),
  u: (wall) => String(isoDayOfWeek(wall)),
  U: (wall) => pad(weekOfYear(wall), 2),
  V: (wall) => pad(isoWeek(wall), 2),
  G: (wall) => pad(isoWeekYear(wall), 4),
  b: (wall) => (MONTHS[wall.getUTCMonth()] ?? '').slice(0, 3),
  B: (wall) => MONTHS[wall.getUTCMonth()] ?? '',
  z: (_, offset) => zoneText(offset),
  Z: (_, offset) => String(offset / 60_000),
  '%': () => '%',
};

/** Returns a time in the format of `$dateToString`. */
export function formatDate(date: Date, format: string, zone: string | undefined): string {
  const wall = toWall(zone, date.getTime());
  return format.replace(/%([\s\S]?)/g, (_, letter: string) => {
    const write = WRITE[letter];
    if (write === undefined)
      throw new CommandError(18536, `Invalid format character '%${letter}' in format string`);
    return write(wall, offsetAt(zone, date.getTime()));
  });
}

const READ: Readonly<Record<string, string>> = {
  Y: '\\d{4}',
  m: '\\d{1,2}',
  d: '\\d{1,2}',
  H: '\\d{1,2}',
  M: '\\d{1,2}',
  S: '\\d{1,2}',
  L: '\\d{1,3}',
  j: '\\d{1,3}',
  u: '\\d',
  V: '\\d{1,2}',
  G: '\\d{4}',
  b: '[A-Za-z]{3}',
  B: '[A-Za-z]+',
  z: 'Z|[+-]\\d{2}:?\\d{2}',
};

const ISO =
  /^(?<Y>\d{4})-(?<m>\d{2})(?:-(?<d>\d{2})(?:[T ](?<H>\d{2}):(?<M>\d{2})(?::(?<S>\d{2})(?:\.(?<L>\d{1,9}))?)?)?)? ?(?<z>Z|[+-]\d{2}:?\d{2})?$/;

/**
 * Parses a time in a format of `$dateFromString`. Without a format, parses ISO 8601. Returns `undefined` for text that is
 * not a time. Throws 238 for text that may have another form, because MongoDB reads many forms.
 */
export function parseDate(
  text: string,
  format: string | undefined,
  zone: string | undefined,
): Date | undefined {
  const parts = (format === undefined ? ISO : patternOf(format)).exec(text)?.groups;
  if (parts !== undefined) return fromParts(parts, zone);
  if (format === undefined && /^\s*(?=.*\d)[\w\s,.:/+-]+$/.test(text) && !/^\d{0,3}$/.test(text))
    throw new CommandError(
      238,
      `reading the date '${text}' is not supported by this server: give ISO 8601 or a format`,
    );
  return undefined;
}

function patternOf(format: string): RegExp {
  const source = format.replace(
    /%([\s\S]?)|([\\^$.*+?()[\]{}|/])/g,
    (_, letter?: string, special?: string) => {
      if (special !== undefined) return `\\${special}`;
      if (letter === '%') return '%';
      const pattern = READ[letter ?? ''];
      if (pattern === undefined)
        throw new CommandError(18536, `Invalid format character '%${letter}' in format string`);
      return `(?<${letter}>${pattern})`;
    },
  );
  return new RegExp(`^${source}$`);
}

function fromParts(
  parts: Readonly<Record<string, string | undefined>>,
  zone: string | undefined,
): Date | undefined {
  if (parts.z !== undefined && zone !== undefined)
    throw new CommandError(
      241,
      'you cannot pass in a date/time string with time zone information together with a timezone argument',
    );
  const day = dayOf(parts);
  const [hour, minute, second] = [Number(parts.H ?? 0), Number(parts.M ?? 0), Number(parts.S ?? 0)];
  if (day === undefined || hour > 24 || minute > 59 || second > 60) return undefined;
  const millis = Number((parts.L ?? '0').slice(0, 3).padEnd(parts.L === undefined ? 1 : 3, '0'));
  return fromWall(parts.z ?? zone, day + ((hour * 60 + minute) * 60 + second) * 1000 + millis);
}

function dayOf({
  Y,
  m,
  d,
  j,
  G,
  V,
  u,
  b,
  B,
}: Readonly<Record<string, string | undefined>>): number | undefined {
  if (G !== undefined) return fromIsoWeek(Number(G), Number(V ?? 1), Number(u ?? 1));
  if (j !== undefined) return fromCalendar(Number(Y), 1, Number(j));
  const name = (B ?? b)?.toLowerCase();
  const month = name === undefined ? Number(m ?? 1) : MONTHS.findIndex((one) => startsAs(one, name)) + 1;
  const day = fromCalendar(Number(Y), month, Number(d ?? 1));
  return new Date(day).getUTCMonth() + 1 === month ? day : undefined;
}

function startsAs(month: string, name: string): boolean {
  return month.toLowerCase() === name || month.slice(0, 3).toLowerCase() === name;
}

function zoneText(offset: number): string {
  const minutes = Math.abs(offset) / 60_000;
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`;
}

function pad(value: number, digits: number): string {
  return String(Math.floor(value)).padStart(digits, '0');
}
