import type { JobConditions, SchedulerItem } from '../../../src/index.js';

export function jobPath(id: string): string {
  return `/dashboard/jobs/${encodeURIComponent(id)}`;
}

/**
 * The path that redirects to the job whose id a form sends. It is not below the path of jobs, since each path there
 * belongs to a job.
 */
export const findJobPath = '/dashboard/find-job';

/** The path of the list of queues. */
export const queuesPath = '/dashboard/queues';

/** The path of the list of limits. */
export const limitsPath = '/dashboard/limits';

export function limitPath(key: string): string {
  return `${limitsPath}/${encodeURIComponent(key)}`;
}

/** The path of the list of failures. */
export const failuresPath = '/dashboard/failures';

/** Returns the path of the list of failures, of one kind of jobs or of all kinds. */
export function failuresOfPath(jobName: string | undefined): string {
  return jobName === undefined ? failuresPath : `${failuresPath}?${new URLSearchParams({ name: jobName })}`;
}

/** The path of the list of kinds of jobs. */
export const kindsPath = '/dashboard/kinds';

/** Returns the path of the list of kinds whose names contain a text. Without a text, all kinds are listed. */
export function kindsOfPath(name: string | undefined): string {
  return name === undefined ? kindsPath : `${kindsPath}?${new URLSearchParams({ name })}`;
}

export function kindPath(jobName: string): string {
  return `${kindsPath}/${encodeURIComponent(jobName)}`;
}

/** The path of the list of workers. */
export const workersPath = '/dashboard/workers';

/** The path to which the switches of the dashboard's look are sent. */
export const lookPath = '/dashboard/look';

/** The path of the reference of the API. */
export const apiPath = '/dashboard/api';

/** The path of the audit log. */
export const auditPath = '/dashboard/audit';

/**
 * Returns the path of the audit log with a filter: the changes of one person, or the changes of one target. Leaves out
 * empty fields.
 */
export function auditOfPath(filter: { readonly target?: string; readonly who?: string }): string {
  return withQuery(auditPath, filter);
}

const pathsOfKinds: Readonly<Record<string, (id: string) => string>> = {
  job: jobPath,
  queue: () => queuesPath,
  batch: batchPath,
  workflow: workflowPath,
  operation: operationPath,
  schedule: schedulerPath,
  limit: limitPath,
};

/**
 * Returns the path of the page of a target of the audit log, such as `job:7`. Undefined if targets of that kind have no
 * pages.
 */
export function pathOfTarget(target: string): string | undefined {
  const [, kind = '', id = ''] = /^([a-z]+):(.*)$/s.exec(target) ?? [];
  return pathsOfKinds[kind]?.(id);
}

/** The path of the list of operations. */
export const operationsPath = '/dashboard/operations';

export function operationPath(id: string): string {
  return `${operationsPath}/${encodeURIComponent(id)}`;
}

/** The paths of the lists of batches and of workflows. */
export const batchesPath = '/dashboard/batches';
export const workflowsPath = '/dashboard/workflows';

export function batchPath(id: string): string {
  return `${batchesPath}/${encodeURIComponent(id)}`;
}

export function workflowPath(id: string): string {
  return `${workflowsPath}/${encodeURIComponent(id)}`;
}

/** Returns the path of the list of scheduler items that contain a text. With an empty text, all items are listed. */
export function schedulersPath(text: string): string {
  return withQuery('/dashboard/schedulers', { text });
}

export function schedulerPath(id: string): string {
  return `/dashboard/schedulers/${encodeURIComponent(id)}`;
}

/**
 * Returns the path of the page that adds a scheduler item. It is not below the path of items, since each path there
 * belongs to an item.
 *
 * @param type the type preset in the form. Default: `Cron`
 * @param job the kind of jobs preset in the form. Default: none
 */
export function newSchedulerPath(type?: SchedulerItem['type'], job?: string): string {
  return withQuery('/dashboard/new-scheduler', { type, job });
}

/** Returns the path of the list of jobs with a filter. Leaves out empty fields. */
export function jobsPath(filter: Readonly<Record<string, string | undefined>>): string {
  return withQuery('/dashboard/jobs', filter);
}

function withQuery(path: string, fields: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value) query.set(name, value);
  return query.size === 0 ? path : `${path}?${query}`;
}

/** Returns the path of the list of jobs that meet conditions. */
export function jobsOfPath({
  jobName: name,
  errorText: error,
  status,
  queue,
  key,
  failureKey,
}: JobConditions): string {
  return jobsPath({ status, name, queue, key, error, failureKey });
}
