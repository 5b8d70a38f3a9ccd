import { setTimeout as wait } from 'node:timers/promises';
import { isUnreachable } from './unreachable.js';

const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 2_000;

/**
 * Tries again, ever more slowly and with jitter, while the database cannot be reached or has no primary. `attempt`
 * must be idempotent: an earlier try may have been applied.
 *
 * @param forMs after so long the last error is thrown
 */
export async function retryWhileUnreachable<Result>(
  forMs: number,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const giveUpAt = performance.now() + forMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isUnreachable(error) || performance.now() + waitMs > giveUpAt) throw error;
      await wait(waitMs * (0.5 + Math.random() / 2));
    }
  }
}
