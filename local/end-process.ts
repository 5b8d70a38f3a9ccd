import type { Logger } from '../src/index.js';
import { withinTime } from '../src/mongo/within-time.js';

/** The longest wait. Docker, for example, kills a process 10 s after asking it to end. */
const MAX_WAIT_MS = 9_500;

/**
 * Ends this process when `steps` is done. Ends it anyway when the time is up, for example because the database is gone,
 * or a job ignores its signal. The exit code is then 1, as it is if `steps` fails.
 */
export async function endProcess(steps: () => Promise<unknown>, log: Logger): Promise<never> {
  log.info('Stopping: running jobs are told to end, and are given back if they do not');
  try {
    await withinTime(MAX_WAIT_MS, steps());
    log.info('Stopped: no job of this process is left in processing');
    process.exit();
  } catch (error) {
    log.error('Stopped, but some jobs could not be given back: their leases will expire', {
      error: String(error),
    });
    process.exit(1);
  }
}
