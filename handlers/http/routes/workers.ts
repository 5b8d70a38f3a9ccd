import * as z from 'zod';
import { moment } from '../fields.js';
import { defineRoute } from '../route.js';

/** By their names, which stand in leases, nobody is told. */
const workerView = z.object({
  processor: z.string(),
  maxThreads: z.int(),
  queues: z.array(z.string()).nullable(),
  started: moment,
  expires: moment,
});

/** The worker invocations under way. */
export const workerRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workers',
    operation: 'listWorkers',
    role: 'read',
    summary: 'List the worker invocations under way',
    asks: () => z.object({}),
    reply: {
      status: 200,
      description: 'Those that have claimed something, the oldest first. `queues` is null for all queues.',
      schema: () => z.object({ workers: z.array(workerView) }),
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
      },
    },
    async answer(_, { processor }) {
      const workers = await processor.getWorkers();
      const views = workers.map(({ processor, maxThreads, queues, started, expires }) => ({
        processor,
        maxThreads,
        queues: queues ? [...queues] : null,
        started,
        expires,
      }));
      return { body: { workers: views } };
    },
  }),
];
