import * as z from 'zod';
import { isKind } from '../../../src/brand.js';
import {
  NotFoundError,
  type SchedulerItem,
  UnknownJobNameError,
  ValidationError,
} from '../../../src/index.js';
import { jobState, locationOf } from '../add-jobs.js';
import {
  brief,
  duration,
  idOf,
  jobStatus,
  moment,
  nextCursor,
  page,
  textOf,
  wholeNumber,
} from '../fields.js';
import { invalid, Problem } from '../problem.js';
import { type Circumstances, defineRoute } from '../route.js';
import { schedulerView, toBriefSchedulerView, toSendableSchedulerView } from '../scheduler-view.js';
import { schedulerSeenBy, schedulersSeenBy } from '../seen-by.js';

const DEFAULT_COUNT = 10;
const MAX_COUNT = 1000;

/** Loaded on demand, since the schemas and the cron parser are large. */
const schemas = () => import('../../../src/scheduler/scheduler-options.js');

const askForId = () => z.object({ parameters: idOf('a scheduler item') });

const previews = () => z.object({ occurrences: z.array(z.object({ at: moment, local: z.string() })) });

const item = {
  id: 'report',
  type: 'Cron',
  title: 'The weekly report',
  description: '',
  jobName: 'echo',
  input: { report: 'weekly' },
  timeField: null,
  jobOptions: null,
  active: true,
  ended: false,
  nextCallTime: '2026-02-02T08:00:00.000Z',
  lastCallTime: null,
  lastJobId: null,
  occurrences: 0,
  skipped: 0,
  timeZone: 'Europe/Zurich',
  catchUp: 'once',
  overlap: 'allow',
  jitter: null,
  startAt: null,
  endAt: null,
  maxOccurrences: null,
  cron: '0 9 * * MON',
  minute: null,
  hour: null,
  dayOfMonth: null,
  month: null,
  dayOfWeek: null,
  delay: null,
  at: null,
  declaredBy: null,
  version: 1,
  leftOut: [],
};
const options = {
  id: 'report',
  type: 'Cron',
  title: 'The weekly report',
  cron: '0 9 * * MON',
  timeZone: 'Europe/Zurich',
  jobName: 'echo',
  input: { report: 'weekly' },
  active: true,
};
const occurrences = [{ at: '2026-02-02T08:00:00.000Z', local: '2026-02-02T09:00:00+01:00' }];

const listSchedulers = defineRoute({
  method: 'GET',
  path: '/v1/schedulers',
  operation: 'listSchedulers',
  isList: true,
  role: 'read',
  summary: 'List the scheduler items',
  description:
    'A page has at most 5 MB, so with large inputs it has fewer items than `limit`. With `text`, at most 5,000 items are searched for a page, which may then have fewer items, even none, and a cursor to continue.',
  asks: () =>
    z.object({
      query: z.strictObject({
        brief: brief('Leaves out inputs. Default false.'),
        text: textOf(
          'Only items with this text in their id, title or job name. Case is ignored.',
          1,
          200,
        ).optional(),
        ...page,
      }),
    }),
  reply: {
    status: 200,
    description: 'A page of them in the order of their ids. `cursor` is null at the end.',
    schema: () => z.object({ schedulers: z.array(schedulerView), cursor: nextCursor }),
    example: { schedulers: [item], cursor: null },
  },
  async answer({ query }, { processor, callerRole, maxBytes }) {
    const { schedulers: found, cursor = null } = await processor.schedules.list({ ...query, maxBytes });
    const schedulers = await schedulersSeenBy({ processor, callerRole }, found);
    const toView = (found: SchedulerItem) =>
      query.brief ? toBriefSchedulerView(found) : toSendableSchedulerView(found, maxBytes);
    return { body: { schedulers: schedulers.map(toView), cursor } };
  },
});

const addScheduler = defineRoute({
  method: 'POST',
  path: '/v1/schedulers',
  operation: 'addScheduler',
  role: 'write',
  summary: 'Add a scheduler item',
  asks: async () => z.object({ body: (await schemas()).schedulerOptionsSchema }),
  bodyExample: options,
  reply: {
    status: 201,
    description: 'The scheduler item.',
    schema: () => schedulerView,
    headers: { location: 'Where it is.' },
    example: item,
  },
  problems: ['conflict', 'unknown_job_name'],
  async answer({ body }, { processor, maxBytes, callerRole }) {
    const id = await processor.addScheduler(body, { callerRole }).catch(explainUnknownJob);
    const headers = { location: `/v1/schedulers/${encodeURIComponent(id)}` };
    return { body: await show({ processor, callerRole, maxBytes }, id), headers };
  },
});

const getScheduler = defineRoute({
  method: 'GET',
  path: '/v1/schedulers/{id}',
  operation: 'getScheduler',
  role: 'read',
  summary: 'Show a scheduler item',
  asks: askForId,
  reply: {
    status: 200,
    description: 'The scheduler item.',
    schema: () => schedulerView,
    example: item,
  },
  problems: ['not_found'],
  async answer({ parameters: { id } }, circumstances) {
    return { body: await show(circumstances, id) };
  },
});

const updateScheduler = defineRoute({
  method: 'PATCH',
  path: '/v1/schedulers/{id}',
  operation: 'updateScheduler',
  role: 'write',
  summary: 'Change a scheduler item',
  description: 'Null removes an optional value. For `input`, null is a value.',
  asks: async () =>
    z.object({ parameters: idOf('a scheduler item'), body: (await schemas()).schedulerChangesSchema }),
  bodyExample: { cron: '0 10 * * MON', title: null },
  reply: {
    status: 200,
    description: 'The scheduler item as it is now.',
    schema: () => schedulerView,
    example: item,
  },
  problems: ['not_found', 'unknown_job_name'],
  async answer({ parameters: { id }, body }, { processor, maxBytes, callerRole }) {
    const item = await processor.updateScheduler(id, body, { callerRole }).catch(explainUnknownJob);
    return {
      body: toSendableSchedulerView(await schedulerSeenBy({ processor, callerRole }, item), maxBytes),
    };
  },
});

const removeScheduler = defineRoute({
  method: 'DELETE',
  path: '/v1/schedulers/{id}',
  operation: 'removeScheduler',
  role: 'admin',
  summary: 'Remove a scheduler item',
  description: 'Jobs that it made in advance are removed too. Its other jobs stay.',
  asks: askForId,
  reply: { status: 204, description: 'Removed.', schema: () => z.undefined() },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor }) {
    await processor.removeScheduler(id);
    return { body: undefined };
  },
});

const activateScheduler = defineRoute({
  method: 'POST',
  path: '/v1/schedulers/{id}/activate',
  operation: 'activateScheduler',
  role: 'write',
  summary: 'Start a scheduler item',
  asks: askForId,
  reply: {
    status: 200,
    description: 'The scheduler item as it is now.',
    schema: () => schedulerView,
    example: item,
  },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor, maxBytes, callerRole }) {
    const item = await processor.activateScheduler(id, { callerRole });
    return {
      body: toSendableSchedulerView(await schedulerSeenBy({ processor, callerRole }, item), maxBytes),
    };
  },
});

const deactivateScheduler = defineRoute({
  method: 'POST',
  path: '/v1/schedulers/{id}/deactivate',
  operation: 'deactivateScheduler',
  role: 'write',
  summary: 'Stop a scheduler item',
  asks: askForId,
  reply: {
    status: 200,
    description: 'The scheduler item as it is now.',
    schema: () => schedulerView,
    example: { ...item, active: false, nextCallTime: null },
  },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor, callerRole, maxBytes }) {
    const item = await processor.deactivateScheduler(id);
    return {
      body: toSendableSchedulerView(await schedulerSeenBy({ processor, callerRole }, item), maxBytes),
    };
  },
});

const runScheduler = defineRoute({
  method: 'POST',
  path: '/v1/schedulers/{id}/run',
  operation: 'runScheduler',
  role: 'write',
  summary: 'Add a job of a scheduler item at once',
  asks: askForId,
  reply: {
    status: 202,
    description: 'The job.',
    schema: () => jobState,
    headers: { location: 'Where the job is.' },
    example: { id: '697dc4a2f1e2d3c4b5a69788', status: 'queued' },
  },
  problems: ['not_found'],
  jobCount: () => 1,
  async answer({ parameters }, { processor, jobIds, callerRole }) {
    const id = await processor.schedules.runNow(parameters.id, { jobId: jobIds?.[0], callerRole });
    return { body: { id, status: 'queued' as const }, headers: { location: locationOf(id) } };
  },
});

const rescheduleScheduler = defineRoute({
  method: 'POST',
  path: '/v1/schedulers/{id}/reschedule',
  operation: 'rescheduleScheduler',
  role: 'write',
  summary: 'Recompute the next occurrence of a scheduler item from now',
  asks: askForId,
  reply: {
    status: 200,
    description: 'When it is due next. Null if it is not active.',
    schema: () => z.object({ id: z.string(), nextCallTime: moment.nullable() }),
    example: { id: 'report', nextCallTime: '2026-02-02T08:00:00.000Z' },
  },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor, callerRole }) {
    return { body: { id, nextCallTime: await processor.reScheduleItem(id, { callerRole }) } };
  },
});

const rescheduleSchedulers = defineRoute({
  method: 'POST',
  path: '/v1/schedulers/reschedule',
  operation: 'rescheduleSchedulers',
  role: 'write',
  summary: 'Recompute the next occurrences of all active scheduler items from now',
  description: 'Except those whose jobs need a higher role than that of the key.',
  asks: () => z.object({}),
  reply: {
    status: 200,
    description: 'How many were recomputed.',
    schema: () => z.object({ rescheduled: z.int() }),
    example: { rescheduled: 3 },
  },
  async answer(_, { processor, callerRole }) {
    return { body: { rescheduled: await processor.reScheduleItems({ callerRole }) } };
  },
});

const previewScheduler = defineRoute({
  method: 'GET',
  path: '/v1/schedulers/{id}/preview',
  operation: 'previewScheduler',
  role: 'read',
  summary: 'Show the next occurrences of a scheduler item',
  asks: () =>
    z.object({
      parameters: idOf('a scheduler item'),
      query: z.strictObject({
        count: wholeNumber(1, MAX_COUNT, `How many; default ${DEFAULT_COUNT}.`).optional(),
      }),
    }),
  reply: {
    status: 200,
    description: 'The occurrences; there may be fewer.',
    schema: previews,
    example: { occurrences },
  },
  problems: ['not_found'],
  async answer({ parameters: { id }, query: { count = DEFAULT_COUNT } }, { processor }) {
    return { body: { occurrences: await processor.schedules.preview(id, count) } };
  },
});

const DEFAULT_HISTORY = 20;

const schedulerHistory = defineRoute({
  method: 'GET',
  path: '/v1/schedulers/{id}/history',
  operation: 'getSchedulerHistory',
  role: 'read',
  summary: 'Show the jobs of the last occurrences of a scheduler item',
  asks: () =>
    z.object({
      parameters: idOf('a scheduler item'),
      query: z.strictObject({
        count: wholeNumber(1, MAX_COUNT, `How many; default ${DEFAULT_HISTORY}.`).optional(),
      }),
    }),
  reply: {
    status: 200,
    description:
      'The jobs, the latest occurrence first, with those that were made ahead. Jobs that were removed are left out.',
    schema: () =>
      z.object({ history: z.array(z.object({ at: moment, jobId: z.string(), status: jobStatus })) }),
    example: {
      history: [{ at: '2026-02-02T08:00:00.000Z', jobId: '697dc4a2f1e2d3c4b5a69788', status: 'completed' }],
    },
  },
  problems: ['not_found'],
  async answer({ parameters: { id }, query: { count = DEFAULT_HISTORY } }, { processor }) {
    const history = await processor.schedules.history(id, count);
    if (history.length === 0 && !(await processor.getScheduler(id)))
      throw new NotFoundError('scheduler item', id);
    return { body: { history } };
  },
});

/**
 * The route that lists upcoming occurrences. Its path is not below `/v1/schedulers/`, because it would hide the item
 * with that id.
 */
const listUpcoming = defineRoute({
  method: 'GET',
  path: '/v1/upcoming',
  operation: 'listUpcoming',
  isList: true,
  role: 'read',
  summary: 'Show when the active scheduler items are due',
  description:
    'Occurrences that have no job yet, of the 100 items that are due next, and at most 1,500 of each. `overlap` and `maxOccurrences` are ignored.',
  asks: () =>
    z.object({
      query: z.strictObject({
        within: duration('The time from now, at most 7 days. Default 1d.').optional(),
      }),
    }),
  reply: {
    status: 200,
    description: 'The items with their occurrences, the item that is due next first.',
    schema: () =>
      z.object({ upcoming: z.array(z.object({ id: z.string(), title: z.string(), at: z.array(moment) })) }),
    example: {
      upcoming: [{ id: 'report', title: 'The weekly report', at: ['2026-02-02T08:00:00.000Z'] }],
    },
  },
  async answer({ query: { within } }, { processor }) {
    const upcoming = await processor.schedules.upcoming(within).catch(explainTime);
    return { body: { upcoming: upcoming.map(({ at, ...item }) => ({ ...item, at: [...at] })) } };
  },
});

const previewOptions = defineRoute({
  method: 'POST',
  path: '/v1/schedulers/preview',
  operation: 'previewOptions',
  role: 'read',
  summary: 'Show the occurrences that a scheduler item would have',
  description: 'Nothing is stored. Its job need not be known.',
  asks: async () =>
    z.object({
      body: z.strictObject({
        scheduler: (await schemas()).schedulerOptionsSchema,
        count: z.int().min(1).max(MAX_COUNT).default(DEFAULT_COUNT),
      }),
    }),
  bodyExample: { scheduler: options, count: 3 },
  reply: {
    status: 200,
    description: 'The occurrences; there may be fewer.',
    schema: previews,
    example: { occurrences },
  },
  async answer({ body: { scheduler, count } }, { processor }) {
    return { body: { occurrences: await processor.schedules.preview(scheduler, count) } };
  },
});

export const schedulerRoutes = [
  listSchedulers,
  addScheduler,
  getScheduler,
  updateScheduler,
  removeScheduler,
  activateScheduler,
  deactivateScheduler,
  runScheduler,
  rescheduleScheduler,
  previewScheduler,
  schedulerHistory,
  rescheduleSchedulers,
  previewOptions,
  listUpcoming,
];

type ShowCircumstances = Pick<Circumstances, 'processor' | 'callerRole' | 'maxBytes'>;

/** Returns an item as the API shows it. @throws NotFoundError */
async function show({ processor, callerRole, maxBytes }: ShowCircumstances, id: string) {
  const found = await processor.getScheduler(id);
  if (!found) throw new NotFoundError('scheduler item', id);
  return toSendableSchedulerView(await schedulerSeenBy({ processor, callerRole }, found), maxBytes);
}

/**
 * Reports an unknown job name at the field `jobName`. A scheduler item has the name there, while a job has it in
 * `name`.
 */
function explainUnknownJob(error: unknown): never {
  if (!isKind(error, UnknownJobNameError)) throw error;
  const issues = [{ path: 'jobName', message: error.message }];
  throw new Problem('unknown_job_name', { detail: error.message, issues });
}

/** Reports a time that is too long at the parameter `within`. */
function explainTime(error: unknown): never {
  if (!isKind(error, ValidationError)) throw error;
  throw invalid(error.issues.map(({ message }) => ({ path: 'within', message })));
}
