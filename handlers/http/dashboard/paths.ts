import type { SchedulerItem } from '../../../src/index.js';

export function jobPath(id: string): string {
  return `/dashboard/jobs/${encodeURIComponent(id)}`;
}

/** The path that redirects to the job whose id a form sends. Not below the path of jobs, where each path is a job's. */
export const findJobPath = '/dashboard/find-job';

/** The path of the list of limits. */
export const limitsPath = '/dashboard/limits';

export function limitPath(key: string): string {
  return `${limitsPath}/${encodeURIComponent(key)}`;
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

export function schedulerPath(id: string): string {
  return `/dashboard/schedulers/${encodeURIComponent(id)}`;
}

/**
 * Returns the path of the page that adds a scheduler item. Not below the path of items, where each path is an item's.
 *
 * @param type the type preset in the form. Default: `Cron`
 */
export function newSchedulerPath(type?: SchedulerItem['type']): string {
  return `/dashboard/new-scheduler${type === undefined ? '' : `?type=${type}`}`;
}

/** Returns the path of the list of jobs with a filter. Leaves out empty fields. */
export function jobsPath(filter: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  return query.size === 0 ? '/dashboard/jobs' : `/dashboard/jobs?${query}`;
}
