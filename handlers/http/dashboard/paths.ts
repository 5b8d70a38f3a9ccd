import type { SchedulerItem } from '../../../src/index.js';

export function jobPath(id: string): string {
  return `/dashboard/jobs/${encodeURIComponent(id)}`;
}

/** The path that leads to the job whose id a form sends. It lies beside the jobs, since each path below them is a job's. */
export const findJobPath = '/dashboard/find-job';

export function schedulerPath(id: string): string {
  return `/dashboard/schedulers/${encodeURIComponent(id)}`;
}

/**
 * Returns the path of adding a scheduler item. It lies beside the items, since each path below them is an item's.
 *
 * @param type the type of item to begin with. Default: `Cron`
 */
export function newSchedulerPath(type?: SchedulerItem['type']): string {
  return `/dashboard/new-scheduler${type === undefined ? '' : `?type=${type}`}`;
}

/** Returns the path of the list of jobs with a filter, without its empty fields. */
export function jobsPath(filter: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  return query.size === 0 ? '/dashboard/jobs' : `/dashboard/jobs?${query}`;
}
