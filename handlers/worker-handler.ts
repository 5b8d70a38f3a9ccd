import type { DrainSummary } from '../src/index.js';
import { type HandlerOptions, openContainer } from './container.js';
import { kickDepth } from './kick.js';
import type { LambdaHandler } from './lambda-context.js';
import { once } from './once.js';

/**
 * The worker: runs due jobs until none is left or its time is nearly up. Then, if jobs still wait, it kicks the
 * next worker; never when it claimed nothing, for then the next one would not either.
 *
 * @returns a handler for a schedule of one minute and for kicks; its result tells what became of the jobs
 */
export function createWorkerHandler(options: HandlerOptions): LambdaHandler<DrainSummary> {
  const container = once(() => openContainer(options));
  return async (event, context) => {
    context.callbackWaitsForEmptyEventLoop = false;
    const deadline = new Date(Date.now() + context.getRemainingTimeInMillis());
    const { processor, kick, log, ready } = container();
    await ready();
    const summary = await processor.drain({ deadline });
    log.info('Worker invocation ended', { ...summary });
    if (summary.claimed > 0 && summary.remaining > 0) await kick(kickDepth(event) + 1);
    return summary;
  };
}
