import * as z from 'zod';
import type { RemoteProcessor } from '../../../src/index.js';
import { queueSchema } from '../../../src/job/job-options.js';
import { cappedCount, moment, nameOf } from '../fields.js';
import { defineRoute } from '../route.js';

const listQueues = defineRoute({
  method: 'GET',
  path: '/v1/queues',
  operation: 'listQueues',
  role: 'read',
  summary: 'List the queues that have queued jobs, or are paused',
  asks: () => z.object({}),
  reply: {
    status: 200,
    description:
      'By name: what is due, what is to run later, since when the longest waiting job is due, and since when the queue is paused.',
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
    },
  },
  async answer(_, { processor }) {
    return { body: { queues: await processor.getQueues() } };
  },
});

const pauseQueue = defineRoute({
  method: 'POST',
  path: '/v1/queues/{name}/pause',
  operation: 'pauseQueue',
  role: 'admin',
  summary: 'Pause a queue',
  description: 'No worker takes its jobs any more. What runs goes on; jobs can be added, and wait.',
  asks: () => z.object({ parameters: nameOf('a queue, whether there are jobs in it or not', queueSchema) }),
  reply: {
    status: 200,
    description: 'Since when it is paused.',
    schema: () => queueState,
    example: { name: 'mail', paused: '2026-01-31T09:05:06.123Z' },
  },
  async answer({ parameters: { name } }, { processor }) {
    await processor.pauseQueue(name);
    return { body: await stateOf(processor, name) };
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
  async answer({ parameters: { name } }, { processor, kick }) {
    await processor.resumeQueue(name);
    await kick();
    return { body: await stateOf(processor, name) };
  },
});

const queueState = z.object({ name: z.string(), paused: moment.nullable() });

async function stateOf(processor: RemoteProcessor, name: string) {
  const queues = await processor.getQueues();
  return { name, paused: queues.find((queue) => queue.name === name)?.paused ?? null };
}

/** Queues: what waits in them, pausing. */
export const queueRoutes = [listQueues, pauseQueue, resumeQueue];
