import * as z from 'zod';
import { jobStatuses, type StatisticsPoint } from '../../../src/index.js';
import { jobNameSchema } from '../../../src/job/define-job.js';
import { documented } from '../documented.js';
import { cappedCount, duration, moment } from '../fields.js';
import { invalid } from '../problem.js';
import { defineRoute } from '../route.js';
import { attemptCounts, rangeOf } from './kinds.js';

const none = { count: 0, isCapped: false };

const getCounts = defineRoute({
  method: 'GET',
  path: '/v1/counts',
  operation: 'getCounts',
  role: 'read',
  summary: 'Count the jobs by their status',
  asks: () => z.object({}),
  reply: {
    status: 200,
    description: 'Counted up to 10,000 each. `isCapped` is true if there are more.',
    schema: () => z.object({ counts: z.record(z.enum(jobStatuses), cappedCount) }),
    example: {
      counts: {
        queued: { count: 3, isCapped: false },
        processing: none,
        cancelled: none,
        completed: { count: 10_000, isCapped: true },
        error: none,
      },
    },
  },
  async answer(_, { processor }) {
    return { body: { counts: await processor.jobs.count() } };
  },
});

const attempts = z.object({ at: moment, ...attemptCounts.shape });

const waits = z.object({ limit: z.string(), waits: z.int(), waitedMs: z.number() });

const getStatistics = defineRoute({
  method: 'GET',
  path: '/v1/statistics',
  operation: 'getStatistics',
  role: 'read',
  summary: 'Count ended attempts by outcome, for each step of time, and waits for limits',
  description:
    'Kept for 8 days, and by the hour for 90. The last minute may be missing, because workers write their counts each minute.',
  asks: () =>
    z.object({
      query: z.strictObject({
        since: duration('The time until now that is counted, a minute to 8 days. Default 1h.').optional(),
        range: rangeOf(
          'Instead of `since` and `step`: the time until now, in steps that begin at whole multiples of their length, UTC: 1 minute for 1h, 5 minutes for 6h, an hour for 24h, 3 hours for 7d.',
        ).optional(),
        step: duration(
          'The time of a point, in whole minutes. Default 1m. Through a load balancer, at most 3,000 points.',
        ).optional(),
        name: jobNameSchema
          .clone()
          .register(documented, { description: 'Only jobs of this name.' })
          .optional(),
      }),
    }),
  reply: {
    status: 200,
    description:
      'One point for each step, the oldest first. `durationMs` is the total time of the attempts. `waits` has the names of limits for which jobs waited longest in all, at most 100, whatever the `name`: how many times jobs waited, and for how long in all.',
    schema: () => z.object({ statistics: z.array(attempts), waits: z.array(waits) }),
    example: {
      statistics: [
        {
          at: '2026-01-31T09:05:00.000Z',
          completed: 12,
          errors: 0,
          cancelled: 0,
          retried: 1,
          snoozed: 0,
          suspended: 0,
          givenBack: 0,
          stale: 0,
          recovered: 0,
          durationMs: 4711,
        },
      ],
      waits: [{ limit: 'import', waits: 14, waitedMs: 812_000 }],
    },
  },
  async answer({ query: { since, step, name, range } }, { processor, maxBytes }) {
    if (range !== undefined) {
      requireAlone(range, { since, step });
      const [{ points }, waits] = await Promise.all([
        processor.statistics.range({ range, jobName: name }),
        processor.statistics.waits({ since: range }),
      ]);
      return { body: { statistics: [...points], waits: waits.slice(0, MAX_WAITS) } };
    }
    const options = {
      ...(since !== undefined && { since }),
      ...(step !== undefined && { step }),
      ...(name !== undefined && { jobName: name }),
    };
    const [statistics, waits] = await Promise.all([
      processor.statistics.get(options),
      processor.statistics.waits(since === undefined ? {} : { since }),
    ]);
    requireRoom(statistics, maxBytes);
    return { body: { statistics, waits: waits.slice(0, MAX_WAITS) } };
  },
});

/** Refuses a range together with other parameters that tell a time. @throws Problem */
function requireAlone(range: string, others: Readonly<Record<string, number | undefined>>): void {
  const issues = Object.entries(others)
    .filter(([, value]) => value !== undefined)
    .map(([path]) => ({ path, message: `expected none, because the range is ${range}` }));
  if (issues.length > 0) throw invalid(issues);
}

/** Maximum number of limits whose waits are sent. */
const MAX_WAITS = 100;

/**
 * Maximum size of a sent point, in bytes. The largest answer leaves room for the waits, some 15 KB. The size is fixed,
 * so that the counts do not decide whether a request is refused.
 */
const MAX_POINT_BYTES = 300;

/** Refuses more points than can be sent. 8 days in minutes are too many for a load balancer. @throws Problem */
function requireRoom(points: readonly StatisticsPoint[], maxBytes: number): void {
  const most = Math.floor(maxBytes / MAX_POINT_BYTES);
  if (points.length <= most) return;
  const message = `expected longer steps: there are ${points.length} of these, and at most ${most} can be sent`;
  throw invalid([{ path: 'step', message }]);
}

export const statisticsRoutes = [getCounts, getStatistics];
