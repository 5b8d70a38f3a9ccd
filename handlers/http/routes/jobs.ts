import * as z from 'zod';
import { connectedCollections } from '../../../src/collections/connected-collections.js';
import { jobStatuses, NotFoundError, settledStatuses } from '../../../src/index.js';
import { findStepsWithin } from '../../../src/job/find-steps.js';
import { jobChangesSchema } from '../../../src/job/job-options.js';
import { searchKeySchema } from '../../../src/job/search-keys.js';
import { signalId } from '../../../src/job/send-signal.js';
import {
  addedState,
  addMany,
  addOne,
  asOnFirstTry,
  jobAddition,
  jobState,
  locationOf,
  newJob,
  withIds,
} from '../add-jobs.js';
import { documented } from '../documented.js';
import { brief, duration, idOf, moment, nameOf, nextCursor, page, textOf, wholeNumber } from '../fields.js';
import { jobView, toBriefView, toSendableView } from '../job-view.js';
import { listPage } from '../list-page.js';
import { defineRoute } from '../route.js';
import { jobSeenBy, jobsSeenBy, stepsSeenBy } from '../seen-by.js';
import { exampleSteps, stepsView, toStepsView } from '../steps-view.js';
import { waitForJob } from '../wait-for-job.js';

/**
 * Longest wait for a job, in seconds. API Gateway allows a request 29 s, and the database needs time before and after
 * the wait.
 */
const LONGEST_WAIT_SECONDS = 25;

const MAX_BATCH = 1000;

const id = '697dc4a2f1e2d3c4b5a69788';
const job = {
  id,
  jobName: 'echo',
  queue: 'default',
  priority: 0,
  status: 'completed',
  input: { hello: 'me' },
  output: { hello: 'me' },
  progress: null,
  errors: [],
  attempts: [
    {
      attempt: 1,
      queued: '2026-01-31T09:05:06.123Z',
      claimed: '2026-01-31T09:05:06.201Z',
      ended: '2026-01-31T09:05:06.214Z',
      outcome: 'completed',
    },
  ],
  failureKey: null,
  runAt: '2026-01-31T09:05:06.123Z',
  created: '2026-01-31T09:05:06.123Z',
  queued: '2026-01-31T09:05:06.123Z',
  picked: '2026-01-31T09:05:06.201Z',
  started: '2026-01-31T09:05:06.201Z',
  completed: '2026-01-31T09:05:06.214Z',
  cancelRequested: null,
  retryCounter: 1,
  givenBackCounter: 0,
  maxRetries: 3,
  retryDelay: 10_000,
  uniqueKey: null,
  keys: [],
  blockedBy: null,
  postponedBy: null,
  steps: null,
  group: null,
  parents: null,
  waitsFor: null,
  occurrence: null,
  leftOut: [],
};

const exampleChild = {
  ...job,
  id: `${id}:1.w0ZXbXdmqxAx.000000`,
  input: null,
  output: null,
  group: { kind: 'children', id: `${id}:1.w0ZXbXdmqxAx` },
  parents: [id],
  leftOut: ['input', 'output', 'progress'],
};

const addJob = defineRoute({
  method: 'POST',
  path: '/v1/jobs',
  operation: 'addJob',
  isTraffic: true,
  role: 'write',
  summary: 'Add a job',
  description:
    'Adding the same id and input again is harmless: it returns the status of that job. `outcome` says what happened to a job whose unique key another job has. The trace of the headers `traceparent` and `tracestate` is kept with the job.',
  asks: () => z.object({ body: newJob }),
  bodyExample: { name: 'echo', input: { hello: 'me' }, options: { priority: 5, delay: '10s' } },
  reply: {
    status: 202,
    description: 'The job is stored, and will run.',
    schema: () => addedState,
    headers: { location: 'Where the job is.' },
    example: { id, status: 'queued', outcome: 'added', inputDiffers: false },
  },
  problems: ['conflict', 'unknown_job_name'],
  jobCount: () => 1,
  async answer({ body }, { processor, timeLeft, jobIds, callerRole, trace }) {
    const [given = body] = withIds([body], jobIds);
    const told = await addOne(processor, given, callerRole, timeLeft, trace);
    const state = asOnFirstTry(told, jobIds?.[0]);
    return { body: state, headers: { location: locationOf(state.id) } };
  },
});

const addJobs = defineRoute({
  method: 'POST',
  path: '/v1/jobs/batch',
  operation: 'addJobs',
  isTraffic: true,
  role: 'write',
  summary: 'Add many jobs',
  description:
    'All are checked before the first is stored. If one has the id of another job, the others may still be stored.',
  asks: () => z.object({ body: z.strictObject({ jobs: z.array(newJob).min(1).max(MAX_BATCH) }) }),
  bodyExample: {
    jobs: [
      { name: 'echo', input: { n: 1 } },
      { name: 'echo', input: { n: 2 } },
    ],
  },
  reply: {
    status: 202,
    description: 'The jobs are stored, and will run.',
    schema: () => z.object({ ids: z.array(z.string()), jobs: z.array(jobAddition) }),
    example: {
      ids: [id, '697dc4a2f1e2d3c4b5a69789'],
      jobs: [
        { id, outcome: 'added', inputDiffers: false },
        { id: '697dc4a2f1e2d3c4b5a69789', outcome: 'added', inputDiffers: false },
      ],
    },
  },
  problems: ['conflict', 'unknown_job_name'],
  jobCount: ({ body }) => body.jobs.length,
  async answer({ body: { jobs } }, { processor, timeLeft, jobIds, callerRole, trace }) {
    const told = await addMany(processor, withIds(jobs, jobIds), callerRole, timeLeft, trace);
    const added = told.map((job, index) => asOnFirstTry(job, jobIds?.[index]));
    return { body: { ids: added.map((job) => job.id), jobs: added } };
  },
});

const listJobs = defineRoute({
  method: 'GET',
  path: '/v1/jobs',
  operation: 'listJobs',
  isList: true,
  role: 'read',
  summary: 'List jobs',
  description:
    'A list of all jobs, of one name, of one key, or of the status error or cancelled reads only the jobs that it returns. So does a list of one queue if the database has an index for that. For another status, for several filters, or for the text of an error, at most 5,000 jobs are searched. A page may then have fewer jobs than `limit`, even none, and a cursor to continue. It also has fewer jobs if they are larger than 5 MB together, or than 900 KB through a load balancer.',
  asks: () =>
    z.object({
      query: z.strictObject({
        status: z.enum(jobStatuses).optional(),
        name: textOf('Only jobs of this name.').optional(),
        queue: textOf('Only jobs of this queue.').optional(),
        error: textOf(
          'Only jobs with this text in the message of an error. Case is ignored.',
          1,
          1000,
        ).optional(),
        failure: textOf('Only jobs in error with this key of a group of failures.').optional(),
        key: searchKeySchema.optional().register(documented, {
          description:
            'Only jobs with this value in their input, such as `orderId=42`, if `orderId` is one of the searchable paths of their kind.',
        }),
        endedAfter: moments('Only jobs that ended at this moment or later.'),
        endedBefore: moments('Only jobs that ended before this moment.'),
        order: z.enum(['newest', 'oldest']).optional(),
        brief: brief('Leaves out inputs, outputs and stacks. Default false.'),
        ...page,
      }),
    }),
  reply: {
    status: 200,
    description:
      'A page of jobs, by default the newest first. With the status error or cancelled and no key, these are the ones that ended last. `cursor` is null at the end.',
    schema: () => z.object({ jobs: z.array(jobView), cursor: nextCursor }),
    example: { jobs: [job], cursor: null },
  },
  async answer({ query }, { maxBytes, ...onlooker }) {
    const { name: jobName, error: errorText, failure: failureKey, endedAfter, endedBefore, ...rest } = query;
    const ended = { endedAfter: asDate(endedAfter), endedBefore: asDate(endedBefore) };
    return {
      body: await listPage(onlooker, { ...rest, ...ended, jobName, errorText, failureKey, maxBytes }),
    };
  },
});

function moments(description: string) {
  const error = 'expected a moment such as 2026-01-31T09:00:00Z';
  return z.iso.datetime({ offset: true, error }).optional().register(documented, { description });
}

function asDate(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

const getJob = defineRoute({
  method: 'GET',
  path: '/v1/jobs/{id}',
  operation: 'getJob',
  role: 'read',
  summary: 'Show a job',
  description:
    'A job whose retention is 0 is deleted when it ends. A request that waits for it then gets `not_found`.',
  asks: () =>
    z.object({
      parameters: idOf('a job'),
      query: z.strictObject({
        wait: wholeNumber(
          0,
          LONGEST_WAIT_SECONDS,
          'Maximum number of seconds to wait for the job to be settled. After that, the job is returned as it is.',
        ).optional(),
      }),
    }),
  reply: { status: 200, description: 'The job.', schema: () => jobView, example: job },
  problems: ['not_found'],
  async answer({ parameters, query: { wait = 0 } }, { processor, callerRole, maxBytes, ...patience }) {
    const found = await waitForJob(processor, parameters.id, { ...patience, waitMs: wait * 1000 });
    return { body: toSendableView(await jobSeenBy({ processor, callerRole }, found), maxBytes) };
  },
});

const updateJob = defineRoute({
  method: 'PATCH',
  path: '/v1/jobs/{id}',
  operation: 'updateJob',
  role: 'write',
  summary: 'Change a queued job',
  asks: () => z.object({ parameters: idOf('a job'), body: jobChangesSchema }),
  bodyExample: { priority: 9, delay: 0 },
  reply: { status: 200, description: 'The job as it is now.', schema: () => jobView, example: job },
  problems: ['not_found', 'conflict'],
  async answer({ parameters: { id }, body }, { processor, callerRole, maxBytes, ...patience }) {
    await processor.updateJob(id, body, { callerRole });
    const found = await waitForJob(processor, id, { ...patience, waitMs: 0 });
    return { body: toSendableView(await jobSeenBy({ processor, callerRole }, found), maxBytes) };
  },
});

const cancelJob = defineRoute({
  method: 'POST',
  path: '/v1/jobs/{id}/cancel',
  operation: 'cancelJob',
  role: 'write',
  summary: 'Cancel a job',
  description: 'A queued job is cancelled at once. A running job is told to stop, and ends as cancelled.',
  asks: () => z.object({ parameters: idOf('a job') }),
  reply: {
    status: 200,
    description: '`cancelled`, or `processing` if it was told to stop.',
    schema: () => jobState,
    example: { id, status: 'cancelled' },
  },
  problems: ['not_found', 'conflict'],
  async answer({ parameters: { id } }, { processor }) {
    return { body: { id, status: await processor.cancelJob(id) } };
  },
});

const retryJob = defineRoute({
  method: 'POST',
  path: '/v1/jobs/{id}/retry',
  operation: 'retryJob',
  role: 'write',
  summary: 'Queue a job again that ended in error or was cancelled',
  asks: () => z.object({ parameters: idOf('a job') }),
  reply: {
    status: 200,
    description: 'The job is queued, with one more attempt.',
    schema: () => jobState,
    example: { id, status: 'queued' },
  },
  problems: ['not_found', 'conflict'],
  async answer({ parameters: { id } }, { processor, callerRole }) {
    await processor.retryJob(id, { callerRole });
    return { body: { id, status: 'queued' as const } };
  },
});

const getJobLog = defineRoute({
  method: 'GET',
  path: '/v1/jobs/{id}/log',
  operation: 'getJobLog',
  role: 'read',
  summary: 'Show the lines that a job logged',
  asks: () => z.object({ parameters: idOf('a job') }),
  reply: {
    status: 200,
    description:
      'The last lines of all its attempts, the oldest first, and how many older ones were dropped.',
    schema: () => z.object({ lines: z.array(logLine), dropped: z.int() }),
    example: {
      lines: [{ at: '2026-01-31T09:05:06.210Z', attempt: 1, message: 'Sent', fields: { bytes: 42 } }],
      dropped: 0,
    },
  },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor }) {
    const { lines, dropped } = await processor.jobs.log(id);
    return { body: { lines: lines.map(({ fields = null, ...line }) => ({ ...line, fields })), dropped } };
  },
});

const logLine = z.object({
  at: moment,
  attempt: z.int(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).nullable(),
});

const getJobSteps = defineRoute({
  method: 'GET',
  path: '/v1/jobs/{id}/steps',
  operation: 'getJobSteps',
  isList: true,
  role: 'read',
  summary: 'Show the stored steps of a job, what it waits for, and the signals that no step has taken',
  asks: () => z.object({ parameters: idOf('a job') }),
  reply: {
    status: 200,
    description: 'The steps of the run, in the order in which they were last stored.',
    schema: () => stepsView,
    example: exampleSteps,
  },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor, callerRole, maxBytes }) {
    const steps = await findStepsWithin(await processor[connectedCollections](), id, maxBytes);
    return { body: toStepsView(await stepsSeenBy({ processor, callerRole }, id, steps), maxBytes) };
  },
});

const listJobChildren = defineRoute({
  method: 'GET',
  path: '/v1/jobs/{id}/children',
  operation: 'listJobChildren',
  isList: true,
  role: 'read',
  summary: 'List the jobs that the steps of a job have added',
  description:
    'At all levels: each is followed by those below it, as in a tree. The length of `parents` tells how deep it is. Inputs, outputs, progress and stacks are left out.',
  asks: () =>
    z.object({
      parameters: idOf('a job'),
      query: z.strictObject({ status: z.enum(jobStatuses).optional(), ...page }),
    }),
  reply: {
    status: 200,
    description: 'A page of jobs. `cursor` is null at the end.',
    schema: () => z.object({ jobs: z.array(jobView), cursor: nextCursor }),
    example: { jobs: [exampleChild], cursor: null },
  },
  problems: ['not_found'],
  async answer({ parameters: { id }, query }, { processor, callerRole, maxBytes }) {
    const { jobs: found, cursor = null } = await processor.jobs.children(id, { ...query, maxBytes });
    const jobs = await jobsSeenBy({ processor, callerRole }, found);
    if (jobs.length === 0 && !(await processor.getJob(id))) throw new NotFoundError('job', id);
    const views = jobs.map((job) => toBriefView(job, ['input', 'output', 'progress']));
    return { body: { jobs: views, cursor } };
  },
});

const sendSignal = defineRoute({
  method: 'POST',
  path: '/v1/jobs/{id}/signals/{name}',
  operation: 'sendSignal',
  role: 'write',
  summary: 'Send a signal to a job',
  description:
    'A step of the job takes it with `step.waitForSignal`. A signal that comes early is kept. A job that is settled, or has 100 signals that no step has taken, is a conflict.',
  asks: () =>
    z.object({
      parameters: z.object({ ...idOf('a job').shape, ...nameOf('the signal').shape }),
      body: z.strictObject({
        payload: z
          .unknown()
          .optional()
          .register(documented, { description: 'Any JSON of at most 64 KB, which the step gets.' }),
        signalId: signalId.optional().register(documented, {
          description:
            'Chosen by the sender. Of the last 200 signals of a job with such an id, the same is not taken twice. Default: one for each Idempotency-Key.',
        }),
      }),
    }),
  bodyExample: { payload: { amount: 12 }, signalId: 'payment-4711' },
  reply: {
    status: 200,
    description:
      '`duplicate` if a signal with the same id was sent to the job before. Nothing is changed then.',
    schema: () => z.object({ outcome: z.enum(['delivered', 'duplicate']) }),
    example: { outcome: 'delivered' },
  },
  problems: ['not_found', 'conflict'],
  jobCount: () => 1,
  async answer({ parameters: { id, name }, body }, { processor, callerRole, jobIds }) {
    const [chosen] = jobIds ?? [];
    const given = body.signalId ?? chosen;
    const sent = await processor.signal(id, name, body.payload, {
      ...(given !== undefined && { signalId: given }),
      callerRole,
    });
    // An id that was chosen for this request is known only if an earlier try of it was delivered.
    return { body: given === chosen ? { outcome: 'delivered' as const } : sent };
  },
});

/** Time limit of a removal, in milliseconds. Clients and proxies give up if an answer takes much longer. */
const LONGEST_REMOVAL_MS = 10_000;

const removeJobs = defineRoute({
  method: 'DELETE',
  path: '/v1/jobs',
  operation: 'removeJobs',
  role: 'admin',
  summary: 'Remove settled jobs',
  asks: () =>
    z.object({
      query: z.strictObject({
        status: z
          .array(
            z.enum(settledStatuses, {
              error: ({ input }) =>
                `expected ${settledStatuses.join(', ')}, not '${input}': a job that is not settled cannot be removed`,
            }),
            { error: `expected at least one of ${settledStatuses.join(', ')}` },
          )
          .register(documented, { description: 'Only jobs with this status. May be repeated.' }),
        olderThan: duration('Only jobs that ended at least this long ago.').optional(),
      }),
    }),
  reply: {
    status: 200,
    description:
      'The number of removed jobs of each requested status. If `more` is true, time was up before all were removed: send the request again.',
    schema: () => z.object({ removed: z.partialRecord(z.enum(settledStatuses), z.int()), more: z.boolean() }),
    example: { removed: { completed: 12, error: 0 }, more: false },
  },
  async answer({ query: { status, olderThan } }, { processor, timeLeft }) {
    const deadline = new Date(Date.now() + Math.min(LONGEST_REMOVAL_MS, timeLeft() / 2));
    const { more = false, ...removed } = await processor.removeJobs(status, { olderThan, deadline });
    return { body: { removed, more } };
  },
});

const removeJob = defineRoute({
  method: 'DELETE',
  path: '/v1/jobs/{id}',
  operation: 'removeJob',
  role: 'admin',
  summary: 'Remove a settled job',
  description: 'A job that a scheduler item made in advance cannot be removed before its occurrence.',
  asks: () => z.object({ parameters: idOf('a job') }),
  reply: { status: 204, description: 'Removed.', schema: () => z.undefined() },
  problems: ['not_found', 'conflict'],
  async answer({ parameters: { id } }, { processor }) {
    await processor.removeJob(id);
    return { body: undefined };
  },
});

export const jobRoutes = [
  addJob,
  addJobs,
  listJobs,
  getJob,
  updateJob,
  cancelJob,
  retryJob,
  getJobLog,
  getJobSteps,
  listJobChildren,
  sendSignal,
  removeJob,
  removeJobs,
];
