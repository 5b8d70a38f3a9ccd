/** One job that was queued, for those who look for jobs. What is not known of it is left out. */
export interface QueuedJob {
  readonly jobName?: string;
  readonly queue?: string;
  /** A moment, or milliseconds from now; what has passed is now. */
  readonly runAt: Date | number;
}

/** A job of which nothing is known but that it can run. */
export const someJob: QueuedJob = { runAt: 0 };
