import type { SchedulerItem } from '../../../src/index.js';

/** Where a job is shown. */
export function jobPath(id: string): string {
  return `/dashboard/jobs/${encodeURIComponent(id)}`;
}

/** Leads to the job whose id a form sends: beside the jobs, for each address below them is that of an id. */
export const findJobPath = '/dashboard/find-job';

/** Where a scheduler item is shown. */
export function schedulerPath(id: string): string {
  return `/dashboard/schedulers/${encodeURIComponent(id)}`;
}

/**
 * Where a scheduler item is added: beside the items, for each address below them is that of an id.
 *
 * @param type of the item to begin with; default: `Cron`
 */
export function newSchedulerPath(type?: SchedulerItem['type']): string {
  return `/dashboard/new-scheduler${type === undefined ? '' : `?type=${type}`}`;
}

/** Where jobs are listed that a filter lets through; what is empty filters nothing. */
export function jobsPath(filter: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  return query.size === 0 ? '/dashboard/jobs' : `/dashboard/jobs?${query}`;
}
