import * as z from 'zod';
import type { Field } from '../output/fields.js';
import { fromNow } from '../output/moment.js';
import { sparkline } from '../output/sparkline.js';
import type { Column } from '../output/table.js';
import { countShape, countText } from '../state/counts.js';

const HOUR_MS = 60 * 60 * 1000;
const HOURS = 24;

/** Attempts that failed alike, as commands read them from an answer of the API. */
export const failureShape = z.looseObject({
  key: z.string(),
  jobName: z.string(),
  message: z.string(),
  sample: z.string(),
  count: z.number(),
  stillFailing: countShape.nullable(),
  firstSeen: z.string(),
  lastSeen: z.string(),
  hours: z.array(z.looseObject({ at: z.string(), count: z.number() })),
});

export type ShownFailure = z.output<typeof failureShape>;

export const failuresShape = z.looseObject({
  failures: z.array(failureShape),
  cursor: z.string().nullable(),
});

/** The columns of a list of groups. */
export const failureColumns: readonly Column<ShownFailure>[] = [
  { title: 'KEY', value: ({ key }) => key },
  { title: 'FAILING', value: stillFailing, align: 'right' },
  { title: 'SEEN', value: ({ count }) => count.toLocaleString('en-US'), align: 'right', leaveOut: 3 },
  { title: 'LAST', value: ({ lastSeen }) => fromNow(lastSeen), align: 'right' },
  { title: 'FIRST', value: ({ firstSeen }) => fromNow(firstSeen), align: 'right', leaveOut: 2 },
  { title: '24 HOURS', value: (failure) => lastDay(failure), leaveOut: 1 },
  { title: 'MESSAGE', value: ({ message }) => message, mayShrink: 30 },
];

/** The fields of one group. */
export function failureFields(failure: ShownFailure): Field[] {
  const { key, jobName, message, sample, count, firstSeen, lastSeen } = failure;
  return [
    ['failure', key],
    ['job', jobName],
    ['message', message],
    ['last one', sample],
    ['still failing', stillFailing(failure)],
    ['seen', `${count.toLocaleString('en-US')} times`],
    ['first', `${firstSeen} (${fromNow(firstSeen)})`],
    ['last', `${lastSeen} (${fromNow(lastSeen)})`],
    ['24 hours', lastDay(failure)],
  ];
}

function stillFailing({ stillFailing: count }: ShownFailure): string {
  return count === null ? '?' : countText(count);
}

/** Returns a bar for each of the last 24 hours. */
function lastDay({ hours }: ShownFailure, now = Date.now()): string {
  const ago = (at: string) => Math.floor(now / HOUR_MS) - Math.floor(Date.parse(at) / HOUR_MS);
  const counts = new Map(hours.map(({ at, count }) => [ago(at), count]));
  return sparkline(Array.from({ length: HOURS }, (_, index) => counts.get(HOURS - 1 - index) ?? 0));
}
