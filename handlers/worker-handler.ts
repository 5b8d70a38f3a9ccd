import type { FunctionConfig } from '../src/config.js';
import type { DrainSummary } from '../src/index.js';
import { workerPoolSize } from '../src/mongo/client.js';
import { emptySummary } from '../src/worker/summary.js';
import { type HandlerOptions, openContainer } from './container.js';
import { deadlines } from './deadline.js';
import { endContainer } from './end-container.js';
import { invocations } from './invocation.js';
import { kickDepth } from './kick.js';
import type { LambdaHandler } from './lambda-context.js';
import { cloudWatchMetrics, workerMetrics } from './metrics.js';
import { once } from './once.js';

const poolOf = ({ MAX_THREADS }: FunctionConfig) => workerPoolSize(MAX_THREADS);

/**
 * The worker: runs due jobs until none is left, waits for those that are due soon, and ends when there are none or its
 * time is nearly up. Then, if jobs still wait, it kicks the
 * next worker; never when it claimed nothing, for then the next one would not either.
 *
 * A job that goes on though it was told to stop would be frozen with the container, and thaw in the middle of the
 * next invocation. So after such a job the container ends.
 *
 * One that is kicked while as many run as may ends at once.
 *
 * @returns a handler for a schedule of one minute and for kicks; its result tells what became of the jobs
 */
export function createWorkerHandler(options: HandlerOptions): LambdaHandler<DrainSummary> {
  const { publishMetrics = cloudWatchMetrics, exit = endContainer } = options;
  const invocation = invocations(options.log);
  const deadlineOf = deadlines();
  const container = once(() => openContainer({ ...options, log: invocation.log }, poolOf));
  return async (event, context) => {
    const began = performance.now();
    const deadline = deadlineOf(context);
    invocation.begin(context);
    const { processor, kick, log, ready, config } = container();
    await ready();
    const depth = kickDepth(event);
    if (depth !== undefined && (await processor.countWorkers()) >= config.MAX_WORKERS) {
      log.info('As many workers run as may: this one is not needed', { workers: config.MAX_WORKERS });
      return emptySummary();
    }
    const { DEADLINE_MARGIN: margin, LINGER: linger } = config;
    const summary = await processor.drain({ deadline, margin, linger, stopWhenAbandoned: true });
    const durationMs = Math.round(performance.now() - began);
    log.info('Worker invocation ended', { ...summary, durationMs });
    publishMetrics(context, workerMetrics(summary, durationMs));
    if (summary.claimed > 0 && summary.remaining > 0) await kick({ depth: (depth ?? 0) + 1 });
    if (summary.abandoned > 0) exit();
    return summary;
  };
}
