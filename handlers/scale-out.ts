/** The waiting jobs, and the workers now running. */
export interface Backlog {
  /** Number of due jobs that this deployment takes. */
  readonly ready: number;
  /** How long the longest-waiting job has been due, in milliseconds. */
  readonly waitedMs: number;
  /** Number of worker invocations that have claimed jobs and not ended. */
  readonly live: number;
}

export interface WorkerLimits {
  /** Maximum number of jobs that a worker runs at a time. */
  readonly maxThreads: number;
  /** Maximum number of workers that run at a time. */
  readonly maxWorkers: number;
}

/**
 * Number of jobs per thread below which no further worker is started. A running worker finishes short jobs before a new
 * worker has started.
 */
const JOBS_PER_THREAD = 10;

/**
 * Waiting time in milliseconds from which the jobs count as long ones, or as too many. From then on, one worker is
 * started per `maxThreads` jobs.
 */
const IS_BEHIND_MS = 60_000;

/** Returns how many more workers to start, so that the waiting jobs run in parallel. */
export function workersWanted(
  { ready, waitedMs, live }: Backlog,
  { maxThreads, maxWorkers }: WorkerLimits,
): number {
  const perWorker = maxThreads * (waitedMs >= IS_BEHIND_MS ? 1 : JOBS_PER_THREAD);
  const wanted = Math.min(Math.ceil(ready / perWorker), maxWorkers);
  return Math.max(0, wanted - live);
}

/** Returns the number of jobs from which all possible workers are needed. A count can stop there. */
export function enoughToCount({ maxThreads, maxWorkers }: WorkerLimits): number {
  return maxThreads * JOBS_PER_THREAD * maxWorkers;
}
