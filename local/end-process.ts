import type { Logger } from '../src/index.js';
import { withinTime } from '../src/mongo/within-time.js';

/** Whoever asked for the end kills the process soon, as Docker does after 10 s. */
const MAX_WAIT_MS = 9_500;

/**
 * Ends this process once `steps` are done, or could not be in time, as without a database. A job that heeds no signal
 * would keep it alive otherwise. The exit code is 1 when something was left.
 */
export async function endProcess(steps: () => Promise<unknown>, log: Logger): Promise<never> {
  log.info('Stopping: what runs is told to end, and given back if it does not');
  try {
    await withinTime(MAX_WAIT_MS, steps());
    log.info('Stopped: nothing is left in processing');
    process.exit();
  } catch (error) {
    log.error('Stopped, but not all could be done: leases that are left expire', { error: String(error) });
    process.exit(1);
  }
}
