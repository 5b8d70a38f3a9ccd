import * as z from 'zod';
import type { BatchInfo, GroupProgress, JobResult, WorkflowInfo } from '../../src/index.js';
import { bytesAsSent } from '../../src/mongo/read-page.js';
import { documented } from './documented.js';
import { jobStatus, json, moment, nextCursor, textOf, wholeNumber } from './fields.js';

/** Batches and workflows as the API shows them. Every member is always present, and null without a value. */

export const when = z.enum(['completed', 'settled']).register(documented, {
  description:
    '`completed`: once all that it waits for has completed. `settled`: once it has ended, however that was.',
});

const progressShape = {
  id: z.string(),
  status: z.enum(['adding', 'running', 'failed', 'cancelled', 'completed']).register(documented, {
    description:
      '`adding`: not all jobs are there yet; send the same again if that does not end. `failed`: all jobs have ended, and some failed or were cancelled, or nothing can run until one is retried.',
  }),
  size: z.int().register(documented, { description: 'Number of its jobs.' }),
  completed: z.int(),
  failed: z.int().register(documented, { description: 'How many failed or were cancelled.' }),
  open: z.int().register(documented, { description: 'How many are queued or running.' }),
  created: moment,
  closed: moment.nullable().register(documented, { description: 'When all had ended.' }),
  expires: moment.nullable().register(documented, { description: 'When it is removed with its jobs.' }),
};

export const batchView = z
  .object({
    ...progressShape,
    then: z
      .object({ id: z.string(), when })
      .nullable()
      .register(documented, { description: 'The job that runs after all others.' }),
  })
  .register(documented, { id: 'Batch', description: 'Jobs that are watched together.' });

const workflowJob = z.object({
  name: z.string(),
  jobName: z.string(),
  after: z
    .array(z.string())
    .register(documented, { description: 'The names of the jobs that it waits for.' }),
  when,
  id: z.string(),
  status: jobStatus.nullable().register(documented, { description: 'Null if the job is gone.' }),
  isWaiting: z.boolean().register(documented, { description: 'Whether it still waits for others.' }),
  started: moment.nullable(),
  completed: moment.nullable(),
  error: z.string().nullable().register(documented, { description: 'Message of the last error.' }),
});

export const workflowView = z
  .object({ ...progressShape, jobs: z.array(workflowJob) })
  .register(documented, { id: 'Workflow', description: 'Jobs that run after each other.' });

const leftOut = z.array(z.enum(['output'])).register(documented, {
  description:
    'Says if the output is null because it is larger than 5 MB, or 900 KB through a load balancer.',
});
const resultShape = {
  id: z.string(),
  jobName: z.string(),
  status: jobStatus,
  output: json,
  error: z.string().nullable().register(documented, { description: 'Message of the last error.' }),
  leftOut,
};

/**
 * Returns the schema of a page of results.
 * @param shape the members that identify a result, besides the id of its job
 */
function pageOf<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object({ results: z.array(z.object({ ...shape, ...resultShape })), cursor: nextCursor });
}

export const batchResults = pageOf({ index: z.int() });
export const workflowResults = pageOf({ name: z.string() });

/** Result of adding a group. */
export const groupAddition = z.object({
  id: z.string(),
  outcome: z
    .enum(['added', 'kept'])
    .register(documented, { description: '`kept`: it was added before with this id.' }),
});

/** Result of cancelling or retrying a group. */
export const groupChange = z.object({ id: z.string(), changed: z.int() });

const DEFAULT_LIMIT = 20;

/**
 * The query of a list of batches or workflows. Each listed group costs several reads, so pages are smaller than pages
 * of jobs.
 */
export const groupPage = z.strictObject({
  limit: wholeNumber(1, 100, `How many at most; default ${DEFAULT_LIMIT}.`).optional(),
  cursor: textOf('That of the page before.').optional(),
});

/** Returns the filter of a list for its query. */
export function toGroupFilter({ limit = DEFAULT_LIMIT, cursor }: z.output<typeof groupPage>) {
  return { limit, cursor };
}

/** The query of results. */
export const resultsQuery = z.strictObject({
  status: jobStatus.optional().register(documented, { description: 'Only jobs of this status.' }),
  limit: wholeNumber(1, 1000, 'How many at most; default 100.').optional(),
  cursor: textOf('That of the page before.').optional(),
});

export const resultsDescription =
  'In pages. Jobs that have not ended have no output yet, and jobs that are gone are left out. With `status`, at most 5,000 jobs are searched. A page may then have fewer jobs than `limit`, even none, and a cursor to continue.';

export const exampleProgress = {
  id: 'import-7',
  status: 'running',
  size: 3,
  completed: 1,
  failed: 0,
  open: 2,
  created: '2026-01-31T09:05:06.123Z',
  closed: null,
  expires: null,
};

export function toBatchView({ then, ...batch }: BatchInfo): z.input<typeof batchView> {
  return { ...toProgress(batch), then: then ?? null };
}

export function toWorkflowView(workflow: WorkflowInfo): z.input<typeof workflowView> {
  const jobs = workflow.jobs.map(({ after, status, started, completed, error, ...job }) => ({
    ...job,
    after: [...after],
    status: status ?? null,
    started: started ?? null,
    completed: completed ?? null,
    error: error ?? null,
  }));
  return { ...toProgress(workflow), jobs };
}

function toProgress({ closed, expires, ...progress }: GroupProgress) {
  const { id, status, size, completed, failed, open, created } = progress;
  return {
    ...{ id, status, size, completed, failed, open, created },
    closed: closed ?? null,
    expires: expires ?? null,
  };
}

/**
 * Returns the views of a page of results. If the page has a single result that is too large to send, its output is left
 * out.
 *
 * @param maxBytes maximum size of the page as sent
 */
export function toResultViews<Result extends JobResult>(results: readonly Result[], maxBytes: number) {
  const views = results.map(({ output = null, error = null, ...result }) => ({
    ...result,
    output,
    error,
    leftOut: [] as 'output'[],
  }));
  if (views.length !== 1 || bytesAsSent(views) <= maxBytes) return views;
  return views.map((view) => ({ ...view, output: null, leftOut: ['output' as const] }));
}
