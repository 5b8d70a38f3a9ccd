import * as z from 'zod';
import type { FailureInfo } from '../../../src/index.js';
import { documented } from '../documented.js';
import { cappedCount, duration, moment, nextCursor, page, textOf, wholeNumber } from '../fields.js';
import { defineRoute } from '../route.js';

const failureView = z.object({
  key: z.string(),
  jobName: z.string(),
  message: z
    .string()
    .register(documented, { description: 'Without what differs, such as numbers, ids and hosts.' }),
  sample: z.string().register(documented, { description: 'The last message as it was.' }),
  count: z.int(),
  stillFailing: cappedCount.nullable(),
  firstSeen: moment,
  lastSeen: moment,
  hours: z.array(z.object({ at: moment, count: z.int() })),
});

const example = {
  key: 'webhook:3f2a9c1b04de',
  jobName: 'webhook',
  message: 'connect ECONNREFUSED <host>',
  sample: 'connect ECONNREFUSED 10.0.0.1:443',
  count: 41,
  stillFailing: { count: 12, isCapped: false },
  firstSeen: '2026-01-31T09:05:06.123Z',
  lastSeen: '2026-01-31T09:35:06.123Z',
  hours: [{ at: '2026-01-31T09:00:00.000Z', count: 41 }],
};

const list = defineRoute({
  method: 'GET',
  path: '/v1/failures',
  operation: 'listFailures',
  isList: true,
  role: 'read',
  summary: 'List what failed alike',
  description:
    'Attempts of one kind of jobs with the same message, except for numbers, ids, hosts and quoted parts, and the same place in the code. Written once a minute, and kept for 30 days. To retry the jobs of a group, start an operation with its key as `failureKey`.',
  asks: () =>
    z.object({
      query: z.strictObject({
        name: textOf('Only of jobs of this name.').optional(),
        since: duration('Only what was seen in this time, up to now.').optional(),
        ...page,
        limit: wholeNumber(1, 100, 'How many at most; default 100.').optional(),
      }),
    }),
  reply: {
    status: 200,
    description:
      'A page of groups, the last seen first. `stillFailing` counts the jobs that are in error with it now, up to 1,000, and is null for the group of all that differ too much. `cursor` is null at the end.',
    schema: () => z.object({ failures: z.array(failureView), cursor: nextCursor }),
    example: { failures: [example], cursor: null },
  },
  async answer({ query: { name: jobName, ...query } }, { processor, maxBytes }) {
    const { failures, cursor = null } = await processor.failures.list({ ...query, jobName, maxBytes });
    return { body: { failures: failures.map(toView), cursor } };
  },
});

const get = defineRoute({
  method: 'GET',
  path: '/v1/failures/{key}',
  operation: 'getFailure',
  role: 'read',
  summary: 'Show a group of failures',
  asks: () =>
    z.object({
      parameters: z.object({
        key: z.string().register(documented, { description: 'The key of the group, as jobs have it.' }),
      }),
    }),
  reply: { status: 200, description: 'The group.', schema: () => failureView, example },
  problems: ['not_found'],
  async answer({ parameters: { key } }, { processor }) {
    return { body: toView(await processor.failures.get(key)) };
  },
});

function toView({ stillFailing, hours, ...info }: FailureInfo): z.input<typeof failureView> {
  return { ...info, stillFailing: stillFailing ?? null, hours: [...hours] };
}

export const failureRoutes = [list, get];
