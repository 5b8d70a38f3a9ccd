import * as z from 'zod';
import type { KindStatistics, Percentiles, StatisticsRange } from '../../../src/index.js';
import { jobNameSchema } from '../../../src/job/define-job.js';
import { ranges } from '../../../src/statistics/ranges.js';
import { documented } from '../documented.js';
import { moment, nameOf, wholeNumber } from '../fields.js';
import { defineRoute } from '../route.js';

/** Numbers of ended attempts by their end, and the time for which their functions ran. */
export const attemptCounts = z.object({
  completed: z.int(),
  errors: z.int(),
  cancelled: z.int(),
  retried: z.int(),
  snoozed: z.int(),
  suspended: z.int(),
  givenBack: z.int(),
  stale: z.int(),
  recovered: z.int(),
  durationMs: z.number(),
});

const percentiles = z
  .object({ count: z.int(), p50: z.int(), p95: z.int(), p99: z.int() })
  .register(documented, {
    id: 'Percentiles',
    description:
      'The times within which 50, 95 and 99 of 100 ended, in milliseconds, off by at most a factor of 1.41, and how many were measured.',
  });

const kindView = z.object({
  jobName: z.string(),
  counts: attemptCounts,
  failureRate: z.number().register(documented, {
    description: '`errors`, `retried` and `recovered` among these and `completed`, 0 to 1.',
  }),
  run: percentiles.nullable(),
  wait: percentiles.nullable(),
  points: z.array(z.object({ at: moment, completed: z.int(), failed: z.int() })),
});

const kindRange = z.object({
  jobName: z.string(),
  range: z.enum(ranges),
  stepMs: z.int(),
  sum: attemptCounts,
  run: percentiles.nullable(),
  wait: percentiles.nullable(),
  points: z.array(attemptCounts.extend({ at: moment })),
});

/** Returns the schema of a range of time in a query. */
export function rangeOf(description: string) {
  return z
    .enum(ranges, { error: `expected one of ${ranges.join(', ')}` })
    .register(documented, { description });
}

const range = rangeOf('The time until now. Default 1h.').optional();

/** Number of kinds per answer. An hour has at most 500. */
const DEFAULT_LIMIT = 100;

const counted = {
  ...{ completed: 10, errors: 2, cancelled: 0, retried: 3, snoozed: 0, suspended: 0, givenBack: 0 },
  ...{ stale: 0, recovered: 0, durationMs: 4711 },
};
const measured = {
  run: { count: 15, p50: 210, p95: 900, p99: 1240 },
  wait: { count: 15, p50: 14, p95: 60, p99: 2100 },
};
const at = '2026-01-31T09:00:00.000Z';

const listKinds = defineRoute({
  method: 'GET',
  path: '/v1/kinds',
  operation: 'listKinds',
  isList: true,
  role: 'read',
  summary: 'List the kinds of jobs that ran, those with the most failed attempts first',
  description:
    'How the attempts of each kind ended, how long its jobs ran, and how long they had been due before. Workers write their counts each minute.',
  asks: () =>
    z.object({
      query: z.strictObject({
        range,
        limit: wholeNumber(1, 1000, `How many at most; default ${DEFAULT_LIMIT}.`).optional(),
      }),
    }),
  reply: {
    status: 200,
    description:
      '`kindCount` counts all kinds. `points` are steps of 5 minutes for 1h, of 6 hours for 7d, and otherwise of an hour, the oldest first; the last one is not over. `run` and `wait` are null if nothing was measured, as by workers of an earlier version.',
    schema: () => z.object({ kinds: z.array(kindView), kindCount: z.int() }),
    example: {
      kinds: [
        {
          ...{ jobName: 'webhook', counts: counted, failureRate: 0.333 },
          ...measured,
          points: [{ at, completed: 10, failed: 5 }],
        },
      ],
      kindCount: 1,
    },
  },
  async answer({ query: { range, limit = DEFAULT_LIMIT } }, { processor }) {
    const kinds = await processor.statistics.kinds({ range });
    return { body: { kinds: kinds.slice(0, limit).map(toKindView), kindCount: kinds.length } };
  },
});

const getKind = defineRoute({
  method: 'GET',
  path: '/v1/kinds/{name}',
  operation: 'getKind',
  role: 'read',
  summary: 'Show how the jobs of a kind fared',
  description: 'A kind that had no attempts, or is not known, has only counts of 0.',
  asks: () => z.object({ parameters: nameOf('the job', jobNameSchema), query: z.strictObject({ range }) }),
  reply: {
    status: 200,
    description:
      '`points` are steps of 1 minute for 1h, 5 minutes for 6h, an hour for 24h, and 3 hours for 7d, the oldest first; the last one is not over.',
    schema: () => kindRange,
    example: {
      ...{ jobName: 'webhook', range: '24h', stepMs: 3_600_000, sum: counted },
      ...measured,
      points: [{ at, ...counted }],
    },
  },
  async answer({ parameters: { name }, query: { range } }, { processor }) {
    const found = await processor.statistics.range({ range, jobName: name });
    return { body: { jobName: name, ...toRangeView(found) } };
  },
});

function toKindView({ run, wait, points, ...kind }: KindStatistics): z.input<typeof kindView> {
  return { ...kind, ...orNull({ run, wait }), points: [...points] };
}

function toRangeView({ run, wait, points, ...rest }: StatisticsRange) {
  return { ...rest, ...orNull({ run, wait }), points: [...points] };
}

function orNull({
  run,
  wait,
}: Pick<StatisticsRange, 'run' | 'wait'>): Record<'run' | 'wait', Percentiles | null> {
  return { run: run ?? null, wait: wait ?? null };
}

export const kindRoutes = [listKinds, getKind];
