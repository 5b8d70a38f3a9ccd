import { type HandlerOptions, openContainer } from './container.js';
import type { LambdaHandler } from './lambda-context.js';
import { once } from './once.js';

/**
 * The scheduler: turns due scheduler items into jobs, and kicks the worker when it made any.
 *
 * @returns a handler for a schedule of one minute; its result tells how many jobs it made
 */
export function createSchedulerHandler(options: HandlerOptions): LambdaHandler<{ made: number }> {
  const container = once(() => openContainer(options));
  return async (_event, context) => {
    context.callbackWaitsForEmptyEventLoop = false;
    const { processor, kick, log, ready } = container();
    await ready();
    const { length: made } = await processor.scheduleDueItems();
    log.info('Scheduler invocation ended', { made });
    if (made > 0) await kick();
    return { made };
  };
}
