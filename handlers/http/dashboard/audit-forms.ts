import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { Logger, RemoteProcessor } from '../../../src/index.js';
import { type EndOfChange, outcomeOf, type RequestedChange, recordChange } from '../audit/record-change.js';
import { targetOf } from '../audit/targets.js';
import type { DashboardEnvironment } from './environment.js';

/**
 * Returns the change that a form asks for. Undefined for a form that changes nothing.
 * @param id the id in the form's path, or empty
 */
type Reading = (form: URLSearchParams, id: string) => RequestedChange | undefined;

/** The change that each form makes, by the route of the form. Actions have the names of the API's operations. */
export const formsByRoute: Readonly<Record<string, Reading>> = {
  '/dashboard/jobs': byAction('jobs', 'id', { cancel: 'cancelJob', retry: 'retryJob', remove: 'removeJob' }),
  '/dashboard/jobs/:id/changes': toOne('updateJob', 'jobs'),
  '/dashboard/jobs/:id/signals': (form, id) => ({
    ...toOne('sendSignal', 'jobs')(form, id),
    changes: [{ field: 'name', after: form.get('name') ?? '' }],
  }),
  '/dashboard/job-factories/:name': () => ({ action: 'addJob', targets: [], isAddition: true }),
  '/dashboard/operations': () => ({ action: 'startOperation', targets: [], isAddition: true }),
  '/dashboard/operations/:id': byAction('operations', undefined, {
    stop: 'stopOperation',
    undo: 'undoOperation',
  }),
  '/dashboard/batches': byAction('batches', 'id', {
    cancel: 'cancelBatch',
    retry: 'retryBatch',
    remove: 'removeBatch',
  }),
  '/dashboard/workflows': byAction('workflows', 'id', {
    cancel: 'cancelWorkflow',
    retry: 'retryWorkflow',
    remove: 'removeWorkflow',
  }),
  '/dashboard/limits': byAction('limits', 'key', {
    set: 'setLimit',
    pause: 'pauseLimit',
    resume: 'resumeLimit',
    skip: 'skipFailedJob',
  }),
  '/dashboard/queues': byAction('queues', 'queue', { pause: 'pauseQueue', resume: 'resumeQueue' }),
  '/dashboard/new-scheduler': () => ({ action: 'addScheduler', targets: [], isAddition: true }),
  '/dashboard/schedulers/:id': toOne('updateScheduler', 'schedulers'),
  '/dashboard/schedulers/:id/activate': toOne('activateScheduler', 'schedulers'),
  '/dashboard/schedulers/:id/deactivate': toOne('deactivateScheduler', 'schedulers'),
  '/dashboard/schedulers/:id/run': (form, id) => ({
    ...toOne('runScheduler', 'schedulers')(form, id),
    isAddition: true,
  }),
  '/dashboard/schedulers/:id/remove': toOne('removeScheduler', 'schedulers'),
  // Concerns only the browser that sends it.
  '/dashboard/look': () => undefined,
};

/**
 * Records the changes that people make by forms. A form that is not in `formsByRoute` is recorded by its route, so that
 * no change is missed. Use this after `requireSession`.
 */
export function auditForms(processor: RemoteProcessor, log: Logger) {
  return createMiddleware<DashboardEnvironment>(async (context, next) => {
    const form = context.get('form');
    if (form === undefined) return next();
    const route = routePath(context, -1);
    const change = readChange(route, form, idIn(route, context.req.path));
    if (!change) return next();
    const { caller } = context.get('session');
    await recordChange(context, { processor, log, caller, via: 'dashboard' }, change, next, () => {
      const { status } = context.res;
      // Such a page asks to confirm, or shows the form again: nothing was changed.
      if (status === 200) return undefined;
      return endOf(context.get('changed'), status, context.get('notice')?.kind === 'problem');
    });
  });
}

function readChange(route: string, form: URLSearchParams, id: string): RequestedChange | undefined {
  const reading = formsByRoute[route];
  return reading ? reading(form, id) : { action: `POST ${route}`, targets: [] };
}

function endOf(
  changed: readonly string[] | undefined,
  status: number,
  isRefused: boolean,
): EndOfChange | undefined {
  const outcome = outcomeOf(status);
  if (changed && changed.length > 0) return { outcome: 'done', targets: changed };
  if (outcome === 'done' && isRefused) return { outcome: 'refused' };
  return outcome && { outcome };
}

/** Returns the parameter of a route in a path, or the empty text. */
function idIn(route: string, path: string): string {
  const index = route.split('/').findIndex((segment) => segment.startsWith(':'));
  return index < 0 ? '' : decodeURIComponent(path.split('/')[index] ?? '');
}

/** Returns a function that reads a form. The form's path names the changed thing. */
function toOne(action: string, segment: string): (form: URLSearchParams, id: string) => RequestedChange {
  return (_, id) => ({ action, targets: [targetOf(segment, id)] });
}

/**
 * Returns a function that reads a form with a field `action`.
 *
 * @param field name of the fields that name the changed things. If undefined, the form's path names one
 */
function byAction(
  segment: string,
  field: string | undefined,
  actions: Readonly<Record<string, string>>,
): Reading {
  return (form, id) => {
    const chosen = form.get('action') ?? '';
    const action = Object.hasOwn(actions, chosen) ? actions[chosen] : undefined;
    if (action === undefined) return undefined;
    const ids = field === undefined ? [id] : form.getAll(field);
    return { action, targets: ids.map((named) => targetOf(segment, named)) };
  };
}
