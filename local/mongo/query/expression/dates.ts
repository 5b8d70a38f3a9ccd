import { Long, ObjectId, Timestamp } from 'bson';
import { evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';
import { toNumber } from '../../bson/to-number.js';
import { isDoc, isNumeric, typeOf } from '../../bson/type-of.js';
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
import { formatDate, parseDate } from './date-text.js';
import { dateDifference, shiftDate, truncateDate, weekdayOf } from './date-units.js';
import { argumentsOf, type Expression, isNullish } from './operands.js';
import { fromWall, toWall } from './time-zone.js';

/** Operators on dates, in any time zone. */
export const dates: Record<string, Expression> = {
  $year: part((wall) => wall.getUTCFullYear()),
  $month: part((wall) => wall.getUTCMonth() + 1),
  $dayOfMonth: part((wall) => wall.getUTCDate()),
  $dayOfYear: part(dayOfYear),
  $dayOfWeek: part((wall) => wall.getUTCDay() + 1),
  $hour: part((wall) => wall.getUTCHours()),
  $minute: part((wall) => wall.getUTCMinutes()),
  $second: part((wall) => wall.getUTCSeconds()),
  $millisecond: part((wall) => wall.getUTCMilliseconds()),
  $week: part(weekOfYear),
  $isoWeek: part(isoWeek),
  $isoWeekYear: part((wall) => Long.fromNumber(isoWeekYear(wall))),
  $isoDayOfWeek: part(isoDayOfWeek),
  $dateToParts: (context, operand, options) => {
    const { date, timezone, iso8601 } = argumentsOf(
      '$dateToParts',
      context,
      operand,
      options,
      ['date'],
      ['timezone', 'iso8601'],
    );
    if (isNullish(date) || timezone === null) return null;
    return partsOf(toWall(zoneOf(timezone), dateOf(date).getTime()), iso8601 === true);
  },
  $dateFromParts: (context, operand, options) => {
    const given = argumentsOf('$dateFromParts', context, operand, options, [], [...PARTS, 'timezone']);
    if (Object.values(given).some(isNullish)) return null;
    return fromWall(zoneOf(given.timezone), wallOf(given));
  },
  $dateToString: (context, operand, options) => {
    const { date, format, timezone, onNull } = argumentsOf(
      '$dateToString',
      context,
      operand,
      options,
      ['date'],
      ['format', 'timezone', 'onNull'],
    );
    if (isNullish(date)) return onNull ?? null;
    if (timezone === null || format === null) return null;
    const zone = zoneOf(timezone);
    return formatDate(dateOf(date), textOf('format', format) ?? defaultFormat(zone), zone);
  },
  $dateFromString: (context, operand, options) => {
    const { dateString, format, timezone, onNull, onError } = argumentsOf(
      '$dateFromString',
      context,
      operand,
      options,
      ['dateString'],
      ['format', 'timezone', 'onNull', 'onError'],
    );
    if (isNullish(dateString)) return onNull ?? null;
    if (timezone === null || format === null) return null;
    const date =
      typeof dateString === 'string'
        ? parseDate(dateString, textOf('format', format), zoneOf(timezone))
        : undefined;
    if (date !== undefined) return date;
    if (isDoc(operand) && operand.onError !== undefined) return onError ?? null;
    throw new CommandError(241, `Error parsing date string '${dateString}'`);
  },
  $dateAdd: shifting('$dateAdd', 1),
  $dateSubtract: shifting('$dateSubtract', -1),
  $dateDiff: (context, operand, options) => {
    const given = argumentsOf(
      '$dateDiff',
      context,
      operand,
      options,
      ['startDate', 'endDate', 'unit'],
      ['timezone', 'startOfWeek'],
    );
    if (Object.values(given).some(isNullish)) return null;
    const { startDate, endDate, unit, timezone, startOfWeek } = given;
    const [start, end] = [dateOf(startDate), dateOf(endDate)];
    return Long.fromNumber(
      dateDifference(start, end, String(unit), zoneOf(timezone), weekdayOf(startOfWeek)),
    );
  },
  $dateTrunc: (context, operand, options) => {
    const given = argumentsOf(
      '$dateTrunc',
      context,
      operand,
      options,
      ['date', 'unit'],
      ['binSize', 'timezone', 'startOfWeek'],
    );
    if (Object.values(given).some(isNullish)) return null;
    const { date, unit, binSize = 1, timezone, startOfWeek } = given;
    const size = integerOf('binSize', binSize);
    if (size <= 0) throw new CommandError(5439018, '$dateTrunc requires binSize to be greater than 0');
    return truncateDate(dateOf(date), String(unit), size, zoneOf(timezone), weekdayOf(startOfWeek));
  },
};

const CALENDAR = ['year', 'month', 'day'];
const WEEKS = ['isoWeekYear', 'isoWeek', 'isoDayOfWeek'];
const PARTS = [...CALENDAR, ...WEEKS, 'hour', 'minute', 'second', 'millisecond'];

/** Returns an operator that reads a part of a date. Its operand is the date, or `{ date, timezone }`. */
function part(read: (wall: Date) => unknown): Expression {
  return (context, operand, options) => {
    const { date, timezone } = dateAndZone(context, operand, options);
    if (isNullish(date) || timezone === null) return null;
    return read(toWall(zoneOf(timezone), dateOf(date).getTime()));
  };
}

function dateAndZone(
  context: unknown,
  operand: unknown,
  options: Options,
): { date: unknown; timezone?: unknown } {
  if (isDoc(operand) && Object.hasOwn(operand, 'date')) {
    const { date, timezone } = argumentsOf('$date', context, operand, options, ['date'], ['timezone']);
    return { date, timezone };
  }
  const [only] = Array.isArray(operand) && operand.length === 1 ? operand : [operand];
  return { date: evalExpr(context, only, options) };
}

function shifting(name: string, sign: 1 | -1): Expression {
  return (context, operand, options) => {
    const given = argumentsOf(name, context, operand, options, ['startDate', 'unit', 'amount'], ['timezone']);
    if (Object.values(given).some(isNullish)) return null;
    const amount = integerOf('amount', given.amount);
    return shiftDate(dateOf(given.startDate), String(given.unit), sign * amount, zoneOf(given.timezone));
  };
}

function dateOf(value: unknown): Date {
  if (value instanceof Date) return value;
  if (value instanceof ObjectId) return value.getTimestamp();
  if (value instanceof Timestamp) return new Date(value.t * 1000);
  throw new CommandError(16006, `can't convert from BSON type ${typeOf(value)} to Date`);
}

function zoneOf(value: unknown): string | undefined {
  return textOf('timezone', value);
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new CommandError(40517, `${name} must evaluate to a string, found ${typeOf(value)}`);
}

function integerOf(name: string, value: unknown): number {
  const number = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (Number.isInteger(number)) return number;
  throw new CommandError(5166405, `'${name}' must be an integer, found ${typeOf(value)}`);
}

function defaultFormat(zone: string | undefined): string {
  const utc = zone === undefined || ['UTC', 'GMT', 'Z', 'Etc/UTC'].includes(zone);
  return utc ? '%Y-%m-%dT%H:%M:%S.%LZ' : '%Y-%m-%dT%H:%M:%S.%L';
}

function partsOf(wall: Date, iso: boolean): Record<string, number> {
  const day = iso
    ? { isoWeekYear: isoWeekYear(wall), isoWeek: isoWeek(wall), isoDayOfWeek: isoDayOfWeek(wall) }
    : { year: wall.getUTCFullYear(), month: wall.getUTCMonth() + 1, day: wall.getUTCDate() };
  return {
    ...day,
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    millisecond: wall.getUTCMilliseconds(),
  };
}

function wallOf(given: Record<string, unknown>): number {
  const read = (name: string, otherwise: number) =>
    given[name] === undefined ? otherwise : integerOf(name, given[name]);
  const byWeek = given.isoWeekYear !== undefined;
  if (!byWeek && given.year === undefined)
    throw new CommandError(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present");
  if ((byWeek ? CALENDAR : WEEKS).some((name) => given[name] !== undefined))
    throw new CommandError(40489, '$dateFromParts does not allow mixing natural dates with ISO dates');
  const day = byWeek
    ? fromIsoWeek(read('isoWeekYear', 1970), read('isoWeek', 1), read('isoDayOfWeek', 1))
    : fromCalendar(read('year', 1970), read('month', 1), read('day', 1));
  const minutes = read('hour', 0) * 60 + read('minute', 0);
  return day + (minutes * 60 + read('second', 0)) * 1000 + read('millisecond', 0);
}
