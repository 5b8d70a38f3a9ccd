/** The waiting jobs, and the workers that run. */
export interface Backlog {
  /** The number of due jobs that this deployment takes. */
  readonly ready: number;
  /** How long the longest-waiting job has been due. */
  readonly waitedMs: number;
  /** The number of invocations that have claimed something and have not ended. */
  readonly live: number;
}

export interface WorkerLimits {
  /** The most jobs that a worker runs at a time. */
  readonly maxThreads: number;
  /** The most workers that run at a time. */
  readonly maxWorkers: number;
}

/** A worker that runs already does short jobs sooner than one that only starts. */
const JOBS_PER_THREAD = 10;

/** Jobs that waited for more than a minute are long, or too many. Then one worker per `maxThreads` jobs is started. */
const IS_BEHIND_MS = 60_000;

/** Returns how many more workers to start, so that the waiting jobs are done in parallel. */
export function workersWanted(
  { ready, waitedMs, live }: Backlog,
  { maxThreads, maxWorkers }: WorkerLimits,
): number {
  const perWorker = maxThreads * (waitedMs >= IS_BEHIND_MS ? 1 : JOBS_PER_THREAD);
  const wanted = Math.min(Math.ceil(ready / perWorker), maxWorkers);
  return Math.max(0, wanted - live);
}

/** Returns the number of jobs that asks for all possible workers, so that counting can stop there. */
export function enoughToCount({ maxThreads, maxWorkers }: WorkerLimits): number {
  return maxThreads * JOBS_PER_THREAD * maxWorkers;
}
