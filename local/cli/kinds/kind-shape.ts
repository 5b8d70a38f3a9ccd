import ms from 'ms';
import * as z from 'zod';
import { failedOf } from '../../../src/statistics/failed-attempts.js';
import type { Field } from '../output/fields.js';
import { sparkline } from '../output/sparkline.js';
import type { Column } from '../output/table.js';

const percentilesShape = z.looseObject({
  count: z.number(),
  p50: z.number(),
  p95: z.number(),
  p99: z.number(),
});

type Percentiles = z.output<typeof percentilesShape>;

const countsShape = z.looseObject({
  completed: z.number(),
  errors: z.number(),
  retried: z.number(),
  recovered: z.number(),
});

const kindShape = z.looseObject({
  jobName: z.string(),
  counts: countsShape,
  failureRate: z.number(),
  run: percentilesShape.nullable(),
  wait: percentilesShape.nullable(),
  points: z.array(z.looseObject({ completed: z.number(), failed: z.number() })),
});

export type ShownKind = z.output<typeof kindShape>;

export const kindsShape = z.looseObject({ kinds: z.array(kindShape), kindCount: z.number() });

/** A kind of jobs, as its page of the API tells it. */
export const kindRangeShape = z.looseObject({
  jobName: z.string(),
  range: z.string(),
  sum: countsShape,
  run: percentilesShape.nullable(),
  wait: percentilesShape.nullable(),
  points: z.array(countsShape),
});

/** The columns of a list of kinds. */
export const kindColumns: readonly Column<ShownKind>[] = [
  { title: 'JOB', value: ({ jobName }) => jobName, mayShrink: true },
  { title: 'COMPLETED', value: ({ counts }) => number(counts.completed), align: 'right', leaveOut: 4 },
  { title: 'FAILED', value: ({ counts }) => number(failedOf(counts)), align: 'right', style: () => 'red' },
  { title: 'RATE', value: ({ failureRate }) => rate(failureRate), align: 'right', style: () => 'red' },
  { title: 'RUN P50', value: ({ run }) => time(run?.p50), align: 'right', leaveOut: 3 },
  { title: 'P95', value: ({ run }) => time(run?.p95), align: 'right' },
  { title: 'P99', value: ({ run }) => time(run?.p99), align: 'right', leaveOut: 1 },
  { title: 'WAIT P50', value: ({ wait }) => time(wait?.p50), align: 'right', leaveOut: 2 },
  { title: 'P95', value: ({ wait }) => time(wait?.p95), align: 'right', leaveOut: 5 },
  { title: 'P99', value: ({ wait }) => time(wait?.p99), align: 'right', leaveOut: 0 },
  {
    title: 'ENDED',
    value: ({ points }) => sparkline(points.map(({ completed, failed }) => completed + failed)),
    leaveOut: 6,
  },
];

/** The fields of one kind. */
export function kindFields({
  jobName,
  range,
  sum,
  run,
  wait,
  points,
}: z.output<typeof kindRangeShape>): Field[] {
  const ended = sum.completed + failedOf(sum);
  return [
    ['job', jobName],
    ['range', range],
    ['completed', `${number(sum.completed)} ${sparkline(points.map(({ completed }) => completed))}`, 'green'],
    ['failed', `${number(failedOf(sum))} ${sparkline(points.map(failedOf))}`, 'red'],
    ['rate', ended === 0 ? '' : rate(failedOf(sum) / ended)],
    ['run', percentiles(run)],
    ['wait', percentiles(wait)],
  ];
}

function percentiles(measured: Percentiles | null): string {
  if (measured === null) return 'not measured';
  const { p50, p95, p99 } = measured;
  return `p50 ${time(p50)}, p95 ${time(p95)}, p99 ${time(p99)}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function rate(share: number): string {
  return share === 0 ? '' : `${(share * 100).toFixed(1)}%`;
}

function time(durationMs: number | undefined): string {
  if (durationMs === undefined) return '';
  return durationMs >= 1000 && durationMs < 60_000 ? `${(durationMs / 1000).toFixed(1)}s` : ms(durationMs);
}
