import '../src/scheduler/operations.js'; // Loaded while the container starts, since each invocation needs it.
import type { DeclaredScheduler, Logger, WaitingJob } from '../src/index.js';
import { validateNow } from '../src/validate.js';
import { type Container, containerOf, type HandlerOptions } from './container.js';
import { deadlines } from './deadline.js';
import { invocations } from './invocation.js';
import type { LambdaContext, LambdaHandler } from './lambda-context.js';
import { longestWaitOf } from './longest-wait.js';
import { cloudWatchMetrics, schedulerMetrics } from './metrics.js';
import { once } from './once.js';
import { schedulerHandlerOptionsSchema } from './option-schemas.js';
import { refuseEvent } from './refuse-event.js';
import { enoughToCount, workersWanted } from './scale-out.js';
import { isTick, tickText } from './tick-event.js';
import { isWarmUp } from './warm-up-event.js';

/** How long a job may wait for a worker of any deployment before it counts as unclaimed, in milliseconds. */
const UNCLAIMED_AFTER_MS = 5 * 60_000;

/** Time until the next invocation, plus some seconds because EventBridge is not exact to the second. */
const AHEAD = '70s';

/** Connections of the scheduler. It needs few, since it does one thing after another, except for some counts. */
const CONNECTIONS = 3;

/** Time reserved for the kick and the metrics, in milliseconds. */
const MARGIN_MS = 10_000;

export interface SchedulerHandlerOptions extends HandlerOptions {
  /** Scheduler items that the deployment declares. They are synchronized when a container starts. Default: none. */
  readonly schedules?: readonly DeclaredScheduler[];
}

/**
 * Returns the scheduler. It recovers the jobs of crashed workers, and measures how long due jobs have been waiting. It
 * starts as many workers as the waiting jobs need. It makes the jobs of items that become due before its next
 * invocation.
 *
 * @returns a handler for a schedule of one minute. Its result says how many jobs it made. It throws for other events
 * @throws ValidationError listing invalid options
 */
export function createSchedulerHandler(options: SchedulerHandlerOptions): LambdaHandler<{ made: number }> {
  validateNow(schedulerHandlerOptionsSchema, options, 'The call of createSchedulerHandler');
  const { schedules } = options;
  const invocation = invocations(options.log);
  const deadlineOf = deadlines();
  const useContainer = containerOf(
    { ...options, log: invocation.log },
    {
      poolSize: () => CONNECTIONS,
      secrets: ['MONGODB_URI', 'ALERT_WEBHOOK_URL', 'ALERT_WEBHOOK_SECRET'],
      keep: (container) => ({
        container,
        synchronise: once(async () => {
          if (schedules) await syncSchedulers(container, schedules);
        }),
      }),
    },
  );
  const tick = async (
    context: LambdaContext,
    container: Container,
    synchronise: () => Promise<void>,
  ): Promise<{ made: number }> => {
    const began = performance.now();
    const deadline = new Date(deadlineOf(context).getTime() - MARGIN_MS);
    const { processor, kick, log, ready, config } = container;
    await ready();
    const told = processor.tellVerdict(); // Beside the rest, which must not wait for a webhook.
    const recovered = await processor.recoverJobs();
    await synchronise().catch((error: unknown) => {
      log.error('The declared scheduler items could not be synchronised', { error: String(error) });
    });
    const [waiting, { count: blocked }] = await Promise.all([
      processor.jobs.oldestWaiting(),
      processor.jobs.countBlocked(),
    ]);
    await kick({ workers: await moreWorkers(container, waiting, recovered) });
    const { length: made } = await processor.scheduleDueItems({ ahead: AHEAD, deadline });
    await told;
    const durationMs = Math.round(performance.now() - began);
    log.info('Scheduler invocation ended', { made, recovered, durationMs });
    tellUnclaimed(waiting, log);
    const publish = options.publishMetrics ?? cloudWatchMetrics(config.METRICS);
    publish(context, schedulerMetrics({ made, recovered, waiting, blocked }, durationMs));
    return { made };
  };
  return async (event, context) => {
    if (isWarmUp(event)) return { made: 0 };
    if (!isTick(event)) refuseEvent('scheduler', event, tickText);
    invocation.begin(context);
    return useContainer(({ container, synchronise }) => tick(context, container, synchronise));
  };
}

/** Returns how many workers to start for the waiting jobs. Recovery has already asked for one. */
async function moreWorkers(
  { processor, config }: Container,
  waiting: readonly WaitingJob[],
  recovered: number,
): Promise<number> {
  if (waiting.length === 0) return 0;
  const limits = { maxThreads: config.MAX_THREADS, maxWorkers: config.MAX_WORKERS };
  const [ready, live] = await Promise.all([
    processor.jobs.countReady(enoughToCount(limits)),
    processor.workers.count(),
  ]);
  const waitedMs = longestWaitOf(waiting.filter(({ claimable }) => claimable));
  const asked = recovered > 0 ? 1 : 0;
  return workersWanted({ ready, live: live + asked, waitedMs }, limits);
}

/** Synchronizes the declared items. An invalid declaration is logged at each invocation, and does not stop any item. */
async function syncSchedulers(
  { processor, log }: Container,
  schedules: readonly DeclaredScheduler[],
): Promise<void> {
  const sync = await processor.syncSchedulers(schedules);
  const { conflicting, ...changes } = sync;
  if (Object.values(changes).some((ids) => ids.length > 0))
    log.info('Declared scheduler items were synchronised', { ...changes });
  if (conflicting.length > 0)
    log.warn('Declared scheduler items belong to others, and were not changed', { conflicting });
}

/** Logs which jobs are unclaimed. The metric only shows that there are some. */
function tellUnclaimed(waiting: readonly WaitingJob[], log: Logger): void {
  for (const { claimable, id: jobId, jobName, queue, waitedMs } of waiting) {
    if (claimable || waitedMs < UNCLAIMED_AFTER_MS) continue;
    log.warn(
      'A job waits, and nobody claims it: this deployment does not have its code, or does not take its queue',
      {
        jobId,
        jobName,
        queue,
        waitedMs,
      },
    );
  }
}
