import type { Logger } from '../src/index.js';
import { withinTime } from '../src/mongo/within-time.js';

/** The longest wait. Docker, for example, kills a process 10 s after asking it to end. */
const MAX_WAIT_MS = 9_500;

/**
 * Ends this process when `steps` is done, or when the time is up, for example because the database is gone. Otherwise a
 * job that ignores its signal would keep the process alive. The exit code is 1 if something was left undone.
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
