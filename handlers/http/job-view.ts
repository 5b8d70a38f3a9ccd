import * as z from 'zod';
import { attemptsOf, type Job } from '../../src/index.js';
import { waitsOf } from '../../src/job/find-steps.js';
import { attemptOutcomes } from '../../src/job/past-attempt.js';
import { bytesAsSent } from '../../src/mongo/read-page.js';
import { documented } from './documented.js';
import { jobStatus, json, moment } from './fields.js';
import { awaited, groupName, toAwaited, toGroupName } from './group-name.js';
import { toWaitView, waitView } from './steps-view.js';

const largeMembers = ['input', 'output', 'progress'] as const;

/**
 * A job as the API shows it. Every member is always present, and null without a value. Fencing tokens and the worker
 * are left out, because a reader could impersonate the worker with them.
 */
export const jobView = z
  .object({
    id: z.string(),
    jobName: z.string(),
    queue: z.string(),
    priority: z.int(),
    status: jobStatus,
    input: json,
    output: z
      .unknown()
      .register(documented, { description: 'The value that it returned. Null until it is completed.' }),
    progress: json,
    errors: z.array(
      z.object({
        at: moment,
        message: z.string(),
        attempt: z.int(),
        stack: z.string().nullable(),
        causes: z
          .array(
            z.object({
              path: z.string().register(documented, {
                description: 'The path from the error to this cause, such as `cause.cause`.',
              }),
              name: z.string(),
              message: z.string(),
              stack: z.string().nullable(),
            }),
          )
          .register(documented, { description: 'The causes of the error, the nearest first.' }),
      }),
    ),
    attempts: z
      .array(
        z.object({
          attempt: z.int(),
          queued: moment,
          claimed: moment,
          ended: moment.nullable(),
          outcome: z.enum(attemptOutcomes).nullable(),
        }),
      )
      .register(documented, {
        description:
          'Its attempts, the oldest first: the present or last one, and up to 20 before. The running one has neither end nor outcome.',
      }),
    failureKey: z
      .string()
      .nullable()
      .register(documented, { description: 'The key of the group of failures of a job in error.' }),
    runAt: moment,
    created: moment,
    queued: moment,
    picked: moment.nullable(),
    started: moment.nullable(),
    completed: moment.nullable(),
    cancelRequested: moment.nullable(),
    retryCounter: z.int(),
    givenBackCounter: z.int(),
    maxRetries: z.int(),
    retryDelay: z
      .union([z.int(), z.object({ kind: z.literal('exponential'), base: z.int(), cap: z.int() })])
      .nullable(),
    uniqueKey: z.string().nullable(),
    keys: z.array(z.string()).register(documented, {
      description:
        'Values of its input by which it can be found, with the parameter `key` of the list of jobs.',
    }),
    blockedBy: z
      .string()
      .nullable()
      .register(documented, { description: 'The limit in whose line the queued job waits.' }),
    postponedBy: z
      .string()
      .nullable()
      .register(documented, { description: 'The rate limit that gave the queued job its `runAt`.' }),
    steps: z
      .object({ run: z.int(), version: z.int().nullable(), waits: z.array(waitView) })
      .nullable()
      .register(documented, {
        description:
          'How far its steps have come, and what it waits for. Null until a step is stored or a signal arrives.',
      }),
    group: groupName.nullable().register(documented, {
      description: 'The children of a step, the batch or the workflow that it belongs to.',
    }),
    parents: z.array(z.string()).nullable().register(documented, {
      description: 'Ids of the jobs above it, its parent last, if the step of another job has added it.',
    }),
    waitsFor: z.array(awaited).nullable().register(documented, {
      description: 'What must end before it can run. Null if nothing does.',
    }),
    occurrence: z.object({ item: z.string(), at: moment, previous: moment.nullable() }).nullable(),
    leftOut: z.array(z.enum(largeMembers)).register(documented, {
      description:
        'Members that are null because they were not requested, or because the job is larger than 5 MB, or 900 KB through a load balancer.',
    }),
  })
  .register(documented, { id: 'Job', description: 'A job. Times are those of the clock of the database.' });

export type JobView = z.input<typeof jobView>;

export function toJobView(job: Job): JobView {
  return {
    id: job.id,
    jobName: job.jobName,
    queue: job.queue,
    priority: job.priority,
    status: job.status,
    input: job.input ?? null,
    output: job.status === 'completed' ? (job.output ?? null) : null,
    progress: job.progress ?? null,
    errors: job.errors.map(({ at, message, attempt, stack = null, causes = [] }) => ({
      at,
      message,
      attempt,
      stack,
      causes: causes.map((cause) => ({ ...cause, stack: cause.stack ?? null })),
    })),
    attempts: attemptsOf(job).map(({ ended = null, outcome = null, ...attempt }) => ({
      ...attempt,
      ended,
      outcome,
    })),
    failureKey: job.failureKey ?? null,
    runAt: job.runAt,
    created: job.created,
    queued: job.queued,
    picked: job.picked ?? null,
    started: job.started ?? null,
    completed: job.completed ?? null,
    cancelRequested: job.cancelRequested ?? null,
    retryCounter: job.retryCounter,
    givenBackCounter: job.givenBackCounter,
    maxRetries: job.maxRetries,
    retryDelay: job.retryDelay,
    uniqueKey: job.uniqueKey ?? null,
    keys: [...(job.keys ?? [])],
    blockedBy: job.blockedBy ?? null,
    postponedBy: job.status === 'queued' ? (job.postponedBy ?? null) : null,
    steps: job.steps
      ? { run: job.steps.run, version: job.steps.version ?? null, waits: waitsOf(job).map(toWaitView) }
      : null,
    group: job.group === undefined ? null : toGroupName(job.group),
    parents: job.parents ? [...job.parents] : null,
    waitsFor: job.status === 'queued' && job.waitsFor ? job.waitsFor.map(toAwaited) : null,
    occurrence: job.occurrence ?? null,
    leftOut: [],
  };
}

/** Returns the view of a job that was read without some members. By default, these are its input and output. */
export function toBriefView(job: Job, leftOut: JobView['leftOut'] = ['input', 'output']): JobView {
  return { ...toJobView(job), leftOut };
}

/**
 * Returns the view of a job. If it would be too large to send, the members with user data are left out.
 *
 * @param maxBytes maximum size of the view as sent
 */
export function toSendableView(job: Job, maxBytes: number): JobView {
  const view = toJobView(job);
  if (bytesAsSent(view) <= maxBytes) return view;
  const leftOut = largeMembers.filter((name) => view[name] !== null);
  return { ...view, ...Object.fromEntries(leftOut.map((name) => [name, null])), leftOut };
}
