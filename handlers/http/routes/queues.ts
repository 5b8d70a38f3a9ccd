import * as z from 'zod';
import { queueSchema } from '../../../src/job/job-options.js';
import { cappedCount, moment, nameOf, nextCursor, page } from '../fields.js';
import { defineRoute } from '../route.js';

const listQueues = defineRoute({
  method: 'GET',
  path: '/v1/queues',
  operation: 'listQueues',
  isList: true,
  role: 'read',
  summary: 'List the queues that have queued jobs, or are paused',
  description:
    'Counted up to 10,000. If many queues have more jobs than that, a page may have fewer queues than `limit`, and a cursor to continue.',
  asks: () => z.object({ query: z.strictObject(page) }),
  reply: {
    status: 200,
    description:
      'A page of them by name: the numbers of due and of delayed jobs, since when the longest-waiting job waits, and since when the queue is paused. `cursor` is null at the end.',
    schema: () =>
      z.object({
        queues: z.array(
          z.object({
            name: z.string(),
            ready: cappedCount,
            delayed: cappedCount,
            oldest: moment.nullable(),
            paused: moment.nullable(),
          }),
        ),
        cursor: nextCursor,
      }),
    example: {
      queues: [
        {
          name: 'default',
          ready: { count: 3, isCapped: false },
          delayed: { count: 10_000, isCapped: true },
          oldest: '2026-01-31T09:05:06.123Z',
          paused: null,
        },
      ],
      cursor: null,
    },
  },
  async answer({ query }, { processor, maxBytes }) {
    const { queues, cursor = null } = await processor.queues.list({ ...query, maxBytes });
    return { body: { queues, cursor } };
  },
});

const pauseQueue = defineRoute({
  method: 'POST',
  path: '/v1/queues/{name}/pause',
  operation: 'pauseQueue',
  role: 'admin',
  summary: 'Pause a queue',
  description: 'No worker takes its jobs any more. Running jobs go on. Jobs can still be added, and wait.',
  asks: () => z.object({ parameters: nameOf('a queue, whether there are jobs in it or not', queueSchema) }),
  reply: {
    status: 200,
    description: 'Since when it is paused.',
    schema: () => queueState,
    example: { name: 'mail', paused: '2026-01-31T09:05:06.123Z' },
  },
  async answer({ parameters: { name } }, { processor }) {
    return { body: { name, paused: await processor.queues.pause(name) } };
  },
});

const resumeQueue = defineRoute({
  method: 'POST',
  path: '/v1/queues/{name}/resume',
  operation: 'resumeQueue',
  role: 'admin',
  summary: 'Let workers take the jobs of a queue again',
  asks: () => z.object({ parameters: nameOf('a queue', queueSchema) }),
  reply: {
    status: 200,
    description: 'It is not paused.',
    schema: () => queueState,
    example: { name: 'mail', paused: null },
  },
  async answer({ parameters: { name } }, { processor }) {
    await processor.queues.resume(name);
    return { body: { name, paused: null } };
  },
});

const queueState = z.object({ name: z.string(), paused: moment.nullable() });

export const queueRoutes = [listQueues, pauseQueue, resumeQueue];
