/** A queued job, as described to workers that look for jobs. Unknown fields are left out. */
export interface QueuedJob {
  readonly jobName?: string;
  readonly queue?: string;
  /** A moment, or a delay in milliseconds. The past counts as now. */
  readonly runAt: Date | number;
}

/** A job that can run now. Nothing else is known about it. */
export const someJob: QueuedJob = { runAt: 0 };
