import * as z from 'zod';
import { maxSchema } from '../../../src/flow/limits.js';
import { limitKeySchema, orderKeySchema } from '../../../src/job/flow-rules.js';
import { documented } from '../documented.js';
import { cappedCount, jobStatus, moment, nextCursor, page } from '../fields.js';
import { defineRoute } from '../route.js';

/** A limit as answers show it. */
const limit = z
  .object({
    key: z.string(),
    waiting: cappedCount,
    oldest: moment.nullable(),
    taken: z.int(),
    limit: z.int().nullable(),
    max: z.int().nullable(),
    paused: moment.nullable(),
    slowedUntil: moment.nullable(),
    stoppedBy: z.string().nullable().register(documented, {
      description: 'Strict order: id of the failed job that holds up the others. Null if none does.',
    }),
    breaker: z
      .object({
        state: z.enum(['closed', 'open', 'halfOpen']),
        failures: z.int(),
        opened: moment.nullable(),
        openUntil: moment.nullable(),
      })
      .nullable()
      .register(documented, {
        description:
          'State of a circuit breaker, whose key is `breaker` and the name of a kind of jobs. Null for other limits. `failures` counts the last attempts that failed. While it is open, no job of the kind starts, and one is tried at `openUntil`.',
      }),
  })
  .register(documented, {
    id: 'Limit',
    description:
      '`waiting` counts the jobs in line, up to 1,000, and `oldest` says since when one of them waits. `taken` is the number of places in use. `limit` is the number of places by the code, as the first waiting job knows it, and `max` the number that a person set, which wins. `paused` says since when no job of it starts. `slowedUntil` is set while a job has put off all jobs under a rate limit.',
  });

const inLine = z.object({ id: z.string(), jobName: z.string(), queue: z.string() });

const limitDetails = limit.extend({
  holders: z.array(inLine.extend({ status: jobStatus })),
  line: z.array(inLine),
});

const limitState = z.object({ key: z.string(), max: z.int().nullable(), paused: moment.nullable() });

const example = {
  key: 'import=acme',
  waiting: { count: 12, isCapped: false },
  oldest: '2026-01-31T09:05:06.123Z',
  taken: 3,
  limit: 3,
  max: null,
  paused: null,
  slowedUntil: null,
  stoppedBy: null,
  breaker: null,
};

const listLimits = defineRoute({
  method: 'GET',
  path: '/v1/limits',
  operation: 'listLimits',
  isList: true,
  role: 'read',
  summary: 'List the limits that jobs wait for, that were used recently, or that a person has set',
  asks: () =>
    z.object({
      query: z.strictObject({
        ...page,
        order: z.enum(['key', 'fullest']).optional().register(documented, {
          description:
            'Default `key`. `fullest` gives one page: the limits that most jobs wait for, and those that a person has set.',
        }),
      }),
    }),
  reply: {
    status: 200,
    description: 'A page of them, by key. `cursor` is null at the end.',
    schema: () => z.object({ limits: z.array(limit), cursor: nextCursor }),
    example: { limits: [example], cursor: null },
  },
  async answer({ query }, { processor, maxBytes }) {
    const { limits, cursor = null } = await processor.limits.list({ ...query, maxBytes });
    return { body: { limits, cursor } };
  },
});

const getLimit = defineRoute({
  method: 'GET',
  path: '/v1/limits/{key}',
  operation: 'getLimit',
  role: 'read',
  summary: 'Get a limit, the jobs that hold its places, and the first 100 that wait',
  description: 'Also for a limit that no job uses.',
  asks: () =>
    z.object({
      parameters: keyOf(z.string().min(1).max(700), 'Also that of a rate limit, such as `rate sync=a`.'),
    }),
  reply: {
    status: 200,
    description: 'The limit. A job in the queue may hold a place as well.',
    schema: () => limitDetails,
    example: {
      ...example,
      holders: [
        { id: '697dc4a2f1e2d3c4b5a69788', jobName: 'import', queue: 'default', status: 'processing' },
      ],
      line: [{ id: '697dc4a2f1e2d3c4b5a69789', jobName: 'import', queue: 'default' }],
    },
  },
  async answer({ parameters: { key } }, { processor }) {
    const { holders, line, ...rest } = await processor.limits.get(key);
    return { body: { ...rest, holders: [...holders], line: [...line] } };
  },
});

const setLimit = defineRoute({
  method: 'PATCH',
  path: '/v1/limits/{key}',
  operation: 'setLimit',
  role: 'admin',
  summary: 'Set how many jobs run at a time under a limit',
  description:
    'The number wins over the code, also above it, and holds before any job uses the limit. Null takes it back. With more places, waiting jobs get them at once. With fewer, running jobs go on, and none starts until fewer run.',
  asks: () => z.object({ parameters: settableKey, body: z.strictObject({ max: maxSchema }) }),
  bodyExample: { max: 5 },
  reply: {
    status: 200,
    description: 'What is set now.',
    schema: () => limitState,
    example: { key: 'import=acme', max: 5, paused: null },
  },
  async answer({ parameters: { key }, body }, { processor }) {
    return { body: await processor.limits.set(key, body) };
  },
});

const pauseLimit = defineRoute({
  method: 'POST',
  path: '/v1/limits/{key}/pause',
  operation: 'pauseLimit',
  role: 'admin',
  summary: 'Pause a limit',
  description: 'No job of the limit starts any more. Running jobs go on. Jobs can still be added, and wait.',
  asks: () => z.object({ parameters: settableKey }),
  reply: {
    status: 200,
    description: 'What is set now.',
    schema: () => limitState,
    example: { key: 'import=acme', max: null, paused: '2026-01-31T09:05:06.123Z' },
  },
  async answer({ parameters: { key } }, { processor }) {
    return { body: await processor.limits.pause(key) };
  },
});

const resumeLimit = defineRoute({
  method: 'POST',
  path: '/v1/limits/{key}/resume',
  operation: 'resumeLimit',
  role: 'admin',
  summary: 'Let jobs of a limit start again, or close a circuit breaker',
  asks: () =>
    z.object({
      parameters: keyOf(
        z.string().min(1).max(500),
        'As for pausing, or that of a circuit breaker, such as `breaker sync`.',
      ),
    }),
  reply: {
    status: 200,
    description: 'What is set now.',
    schema: () => limitState,
    example: { key: 'import=acme', max: null, paused: null },
  },
  async answer({ parameters: { key } }, { processor }) {
    return { body: await processor.limits.resume(key) };
  },
});

function keyOf(schema: z.ZodString, description: string) {
  return z.object({ key: schema.clone().register(documented, { description }) });
}

const settableKey = keyOf(
  limitKeySchema,
  'The name of a limit on how many jobs run at a time, and `=` and the key if it has keys.',
);

const skipFailedJob = defineRoute({
  method: 'POST',
  path: '/v1/limits/{key}/skip',
  operation: 'skipFailedJob',
  role: 'admin',
  summary: 'Let a strict order go on without the failed job that stops it',
  description: 'The job stays in `error`. If it is retried later, it goes to the end of the order.',
  asks: () =>
    z.object({
      parameters: keyOf(
        orderKeySchema,
        '`order`, the name of the order, and `=` and the key if it has keys, such as `order events=acme`.',
      ),
    }),
  reply: {
    status: 200,
    description: 'The job that stopped it.',
    schema: () => z.object({ key: z.string(), skipped: z.string() }),
    example: { key: 'order events=acme', skipped: '697dc4a2f1e2d3c4b5a69788' },
  },
  problems: ['conflict'],
  async answer({ parameters: { key } }, { processor }) {
    return { body: { key, skipped: await processor.limits.skip(key) } };
  },
});

export const limitRoutes = [listLimits, getLimit, setLimit, pauseLimit, resumeLimit, skipFailedJob];
