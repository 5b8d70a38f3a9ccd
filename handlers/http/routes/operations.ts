import * as z from 'zod';
import { jobStatuses, type OperationInfo } from '../../../src/index.js';
import { operationActions, operationStates } from '../../../src/operation/operation-document.js';
import { newOperationSchema } from '../../../src/operation/operations.js';
import { cappedCount, idOf, moment, nextCursor, page } from '../fields.js';
import { Problem } from '../problem.js';
import { defineRoute } from '../route.js';

const filterView = z.object({
  status: z.enum(jobStatuses),
  jobName: z.string().nullable(),
  queue: z.string().nullable(),
  key: z.string().nullable(),
  errorText: z.string().nullable(),
  failureKey: z.string().nullable(),
});

/** An operation as the API shows it. Every member is always present, and null without a value. */
export const operationView = z.object({
  id: z.string(),
  action: z.enum(operationActions),
  filter: filterView,
  endedBefore: moment,
  endedAfter: moment.nullable(),
  spreadMs: z.int().nullable(),
  to: z.string().nullable(),
  priority: z.int().nullable(),
  by: z.string().nullable(),
  state: z.enum(operationStates),
  done: z.int(),
  skipped: z.int(),
  undone: z.int(),
  total: cappedCount,
  started: moment,
  ended: moment.nullable(),
});

export const exampleOperation = {
  id: '697dc4a2f1e2d3c4b5a69788',
  action: 'retry',
  filter: { status: 'error', jobName: 'webhook', queue: null, key: null, errorText: null, failureKey: null },
  endedBefore: '2026-01-31T09:05:06.123Z',
  endedAfter: null,
  spreadMs: 600_000,
  to: null,
  priority: null,
  by: 'ann',
  state: 'running',
  done: 500,
  skipped: 0,
  undone: 0,
  total: { count: 3226, isCapped: false },
  started: '2026-01-31T09:05:06.123Z',
  ended: null,
};

export function toOperationView({ filter, ...operation }: OperationInfo): z.input<typeof operationView> {
  const { jobName = null, queue = null, key = null, errorText = null, failureKey = null, status } = filter;
  const {
    endedAfter = null,
    spreadMs = null,
    to = null,
    priority = null,
    by = null,
    ended = null,
  } = operation;
  return {
    ...operation,
    ...{ endedAfter, spreadMs, to, priority, by, ended },
    filter: { status, jobName, queue, key, errorText, failureKey },
  };
}

const start = defineRoute({
  method: 'POST',
  path: '/v1/operations',
  operation: 'startOperation',
  role: 'write',
  summary: 'Change all jobs that match a filter',
  description:
    'Retries, cancels, removes, moves or reprioritises jobs, 500 at a time, and goes on after this answer. `remove` needs the role admin, a status, and a further condition, `endedBefore` or `endedAfter`. Without `status`, `retry` takes jobs in error, and the others take queued ones. Jobs that are added, or end, after `endedBefore` (default: now) are not changed, and of settled jobs, those that ended before `endedAfter` are not. `spread` spreads retried jobs over a time. Jobs that the caller may not add are skipped, except for `cancel` and `remove`.',
  asks: () => z.object({ body: newOperationSchema }),
  bodyExample: { action: 'retry', filter: { jobName: 'webhook' }, spread: '10m' },
  reply: {
    status: 202,
    description: 'The operation has begun.',
    schema: () => operationView,
    headers: { location: 'Where the operation is.' },
    example: exampleOperation,
  },
  async answer({ body }, { processor, callerRole, callerId }) {
    if (body.action === 'remove' && callerRole !== 'admin')
      throw new Problem('forbidden', {
        detail: `The role 'admin' is required to remove jobs, the key has '${callerRole}'.`,
      });
    const started = await processor.operations.start(body, { by: callerId, callerRole });
    return { body: toOperationView(started), headers: { location: `/v1/operations/${started.id}` } };
  },
});

const list = defineRoute({
  method: 'GET',
  path: '/v1/operations',
  operation: 'listOperations',
  isList: true,
  role: 'read',
  summary: 'List operations on many jobs',
  asks: () => z.object({ query: z.strictObject(page) }),
  reply: {
    status: 200,
    description: 'A page of operations of the last 30 days, the newest first. `cursor` is null at the end.',
    schema: () => z.object({ operations: z.array(operationView), cursor: nextCursor }),
    example: { operations: [exampleOperation], cursor: null },
  },
  async answer({ query }, { processor, maxBytes }) {
    const { operations, cursor = null } = await processor.operations.list({ ...query, maxBytes });
    return { body: { operations: operations.map(toOperationView), cursor } };
  },
});

const get = defineRoute({
  method: 'GET',
  path: '/v1/operations/{id}',
  operation: 'getOperation',
  role: 'read',
  summary: 'Show how far an operation has come',
  asks: () => z.object({ parameters: idOf('an operation') }),
  reply: {
    status: 200,
    description: 'The operation.',
    schema: () => operationView,
    example: exampleOperation,
  },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor }) {
    return { body: toOperationView(await processor.operations.get(id)) };
  },
});

const stop = defineChange({
  name: 'stop',
  status: 200,
  operation: 'stopOperation',
  summary: 'Stop an operation after the jobs that it is changing',
});

const undo = defineChange({
  name: 'undo',
  status: 202,
  operation: 'undoOperation',
  summary: 'Undo an operation for the jobs that have not begun since',
  description:
    'Until 5 minutes after it ended. A running operation is stopped first. Removed jobs are gone: that is a conflict.',
});

interface Change {
  readonly name: 'stop' | 'undo';
  readonly status: 200 | 202;
  readonly operation: string;
  readonly summary: string;
  readonly description?: string;
}

/** Defines a route that changes an operation, and answers with it. */
function defineChange({ name, status, ...words }: Change) {
  return defineRoute({
    method: 'POST',
    path: `/v1/operations/{id}/${name}`,
    role: 'write',
    ...words,
    asks: () => z.object({ parameters: idOf('an operation') }),
    reply: { status, description: 'The operation.', schema: () => operationView, example: exampleOperation },
    problems: ['not_found', 'conflict'],
    async answer({ parameters: { id } }, { processor }) {
      return { body: toOperationView(await processor.operations[name](id)) };
    },
  });
}

export const operationRoutes = [start, list, get, stop, undo];
