import type { Logger, WaitingJob } from '../src/index.js';
import { type HandlerOptions, openContainer } from './container.js';
import { invocations } from './invocation.js';
import type { LambdaHandler } from './lambda-context.js';
import { cloudWatchMetrics, schedulerMetrics } from './metrics.js';
import { once } from './once.js';

/** Until then a worker of another deployment may come by, for which this job is none of our business. */
const UNCLAIMED_AFTER_MS = 5 * 60_000;

/**
 * The scheduler: recovers the jobs of crashed workers, turns due scheduler items into jobs, kicks the worker when it
 * made any, and measures how long due jobs have been waiting.
 *
 * @returns a handler for a schedule of one minute; its result tells how many jobs it made
 */
export function createSchedulerHandler(options: HandlerOptions): LambdaHandler<{ made: number }> {
  const { publishMetrics = cloudWatchMetrics } = options;
  const invocation = invocations(options.log);
  const container = once(() => openContainer({ ...options, log: invocation.log }));
  return async (_event, context) => {
    const began = performance.now();
    invocation.begin(context);
    const { processor, kick, log, ready } = container();
    await ready();
    const recovered = await processor.recoverJobs();
    const { length: made } = await processor.scheduleDueItems();
    if (made > 0) await kick();
    const waiting = await processor.getOldestWaitingJobs();
    const durationMs = Math.round(performance.now() - began);
    log.info('Scheduler invocation ended', { made, recovered, durationMs });
    tellUnclaimed(waiting, log);
    publishMetrics(context, schedulerMetrics({ made, recovered, waiting }, durationMs));
    return { made };
  };
}

/** A metric says that such jobs exist; this says which. */
function tellUnclaimed(waiting: readonly WaitingJob[], log: Logger): void {
  for (const { claimable, id: jobId, jobName, queue, waitedMs } of waiting) {
    if (claimable || waitedMs < UNCLAIMED_AFTER_MS) continue;
    log.warn(
      'A job waits that nobody claims: this deployment has no code for it, or does not take its queue',
      {
        jobId,
        jobName,
        queue,
        waitedMs,
      },
    );
  }
}
