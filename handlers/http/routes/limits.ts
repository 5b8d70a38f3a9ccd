import * as z from 'zod';
import { cappedCount, moment, nextCursor, page } from '../fields.js';
import { defineRoute } from '../route.js';

export const limitRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/limits',
    operation: 'listLimits',
    isList: true,
    role: 'read',
    summary: 'List the limits that jobs wait for, or that were used recently',
    asks: () => z.object({ query: z.strictObject(page) }),
    reply: {
      status: 200,
      description:
        'A page of them, by key. `waiting` counts the jobs in line, up to 1,000. `taken` is the number of places in use. `slowedUntil` is set while a job has put off all jobs under a rate limit. `cursor` is null at the end.',
      schema: () =>
        z.object({
          limits: z.array(
            z.object({
              key: z.string(),
              waiting: cappedCount,
              taken: z.int(),
              slowedUntil: moment.nullable(),
            }),
          ),
          cursor: nextCursor,
        }),
      example: {
        limits: [
          { key: 'import=acme', waiting: { count: 12, isCapped: false }, taken: 3, slowedUntil: null },
        ],
        cursor: null,
      },
    },
    async answer({ query }, { processor, maxBytes }) {
      const { limits, cursor = null } = await processor.limits.list({ ...query, maxBytes });
      return { body: { limits, cursor } };
    },
  }),
];
