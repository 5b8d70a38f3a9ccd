import type { Job } from '../../src/index.js';

/**
 * A job as the API shows it. Every member is always there, null when it has no value, and times are ISO 8601.
 * Left out are the fencing tokens, with which one could pose as the worker, and which worker it is.
 */
export function toJobView(job: Job) {
  return {
    id: job.id,
    jobName: job.jobName,
    queue: job.queue,
    priority: job.priority,
    status: job.status,
    input: job.input ?? null,
    output: job.status === 'completed' ? (job.output ?? null) : null,
    progress: job.progress ?? null,
    errors: job.errors.map(({ at, message, attempt, stack }) => ({
      at,
      message,
      attempt,
      stack: stack ?? null,
    })),
    runAt: job.runAt,
    created: job.created,
    queued: job.queued,
    picked: job.picked ?? null,
    started: job.started ?? null,
    completed: job.completed ?? null,
    cancelRequested: job.cancelRequested ?? null,
    retryCounter: job.retryCounter,
    givenBackCounter: job.givenBackCounter,
    maxRetries: job.maxRetries,
    retryDelay: job.retryDelay,
    uniqueKey: job.uniqueKey ?? null,
    occurrence: job.occurrence ?? null,
  };
}
