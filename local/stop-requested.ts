import { once } from '../handlers/once.js';

/**
 * A signal that fires at the first Ctrl-C or SIGTERM. At the second the process ends at once; jobs that it runs are
 * recovered by their leases.
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
