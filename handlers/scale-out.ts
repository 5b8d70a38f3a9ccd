/** What waits, and who works on it. */
export interface Backlog {
  /** Jobs that are due and that this deployment takes. */
  readonly ready: number;
  /** Since when the job is due that waits longest. */
  readonly waitedMs: number;
  /** Invocations that have claimed something and have not ended. */
  readonly live: number;
}

export interface WorkerLimits {
  /** How many jobs a worker runs at a time. */
  readonly maxThreads: number;
  /** How many workers run at a time. */
  readonly maxWorkers: number;
}

/** Short jobs are done sooner by a worker that runs already than by one that is only started. */
const JOBS_PER_THREAD = 10;

/** Jobs that have waited for a tick's minute are not short, or too many: then each thread's worth has its worker. */
const IS_BEHIND_MS = 60_000;

/** How many workers are to be started, beside those that live, so that what waits is done in parallel. */
export function workersWanted(
  { ready, waitedMs, live }: Backlog,
  { maxThreads, maxWorkers }: WorkerLimits,
): number {
  const perWorker = maxThreads * (waitedMs >= IS_BEHIND_MS ? 1 : JOBS_PER_THREAD);
  const wanted = Math.min(Math.ceil(ready / perWorker), maxWorkers);
  return Math.max(0, wanted - live);
}

/** So many jobs, and a few more, ask for all the workers there may be: counting further tells nothing. */
export function enoughToCount({ maxThreads, maxWorkers }: WorkerLimits): number {
  return maxThreads * JOBS_PER_THREAD * maxWorkers;
}
