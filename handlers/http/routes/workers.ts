import * as z from 'zod';
import { moment, nextCursor, page } from '../fields.js';
import { defineRoute } from '../route.js';

/** A worker without its name, which is part of leases. */
const workerView = z.object({
  processor: z.string(),
  maxThreads: z.int(),
  queues: z.array(z.string()).nullable(),
  started: moment,
  expires: moment,
});

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
];
