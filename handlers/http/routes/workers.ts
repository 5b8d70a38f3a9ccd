import * as z from 'zod';
import { moment, nextCursor, page, wholeNumber } from '../fields.js';
import { defineRoute } from '../route.js';

/** A worker without its name, which is part of leases. */
const workerView = z.object({
  processor: z.string(),
  maxThreads: z.int(),
  queues: z.array(z.string()).nullable(),
  started: moment,
  expires: moment,
});

/** A running job without its worker, whose name is part of its lease. */
const runningView = z.object({
  id: z.string(),
  jobName: z.string(),
  queue: z.string(),
  started: moment.nullable(),
});

const MAX_RUNNING = 1000;

export const workerRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workers',
    operation: 'listWorkers',
    isList: true,
    role: 'read',
    summary: 'List the worker invocations under way',
    asks: () => z.object({ query: z.strictObject(page) }),
    reply: {
      status: 200,
      description:
        'A page of those that have claimed jobs, the oldest first. `cursor` is null at the end. `queues` is null for all queues.',
      schema: () => z.object({ workers: z.array(workerView), cursor: nextCursor }),
      example: {
        workers: [
          {
            processor: 'root',
            maxThreads: 10,
            queues: null,
            started: '2026-01-31T09:05:06.123Z',
            expires: '2026-01-31T09:05:46.123Z',
          },
        ],
        cursor: null,
      },
    },
    async answer({ query }, { processor, maxBytes }) {
      const { workers, cursor = null } = await processor.workers.list({ ...query, maxBytes });
      const views = workers.map(({ processor, maxThreads, queues, started, expires }) => ({
        processor,
        maxThreads,
        queues: queues ? [...queues] : null,
        started,
        expires,
      }));
      return { body: { workers: views, cursor } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workers/running',
    operation: 'listRunningJobs',
    role: 'read',
    summary: 'List the running jobs',
    description: 'Those of a crashed worker are running until they are recovered.',
    asks: () =>
      z.object({
        query: z.strictObject({
          limit: wholeNumber(1, MAX_RUNNING, `How many at most; default ${MAX_RUNNING}.`).optional(),
        }),
      }),
    reply: {
      status: 200,
      description:
        'The jobs with the queue and the begin of the attempt. Those whose leases expire first come first.',
      schema: () => z.object({ running: z.array(runningView) }),
      example: {
        running: [
          {
            id: '697dc4a2f1e2d3c4b5a69788',
            jobName: 'webhook',
            queue: 'default',
            started: '2026-01-31T09:05:06.123Z',
          },
        ],
      },
    },
    async answer({ query: { limit = MAX_RUNNING } }, { processor }) {
      const running = await processor.workers.running(limit);
      const views = running.map(({ id, jobName, queue, started = null }) => ({
        id,
        jobName,
        queue,
        started,
      }));
      return { body: { running: views } };
    },
  }),
];
