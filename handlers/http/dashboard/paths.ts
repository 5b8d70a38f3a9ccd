/** Where a job is shown. */
export function jobPath(id: string): string {
  return `/dashboard/jobs/${encodeURIComponent(id)}`;
}

/** Where a scheduler item is shown. */
export function schedulerPath(id: string): string {
  return `/dashboard/schedulers/${encodeURIComponent(id)}`;
}

/** Where jobs are listed that a filter lets through; what is empty filters nothing. */
export function jobsPath(filter: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  return query.size === 0 ? '/dashboard/jobs' : `/dashboard/jobs?${query}`;
}
