/** A queued job, for workers that look for jobs. Unknown fields are left out. */
export interface QueuedJob {
  readonly jobName?: string;
  readonly queue?: string;
  /** A moment, or milliseconds from now. The past counts as now. */
  readonly runAt: Date | number;
}

/** A job that can run and of which nothing else is known. */
export const someJob: QueuedJob = { runAt: 0 };
