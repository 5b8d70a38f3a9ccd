import { once } from '../handlers/once.js';

/**
 * Returns a signal that fires at the first Ctrl-C or SIGTERM. The second one ends the process at once. Jobs that are
 * running then are recovered when their leases expire.
 */
export const stopRequested = once((): AbortSignal => {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return controller.signal;
});
