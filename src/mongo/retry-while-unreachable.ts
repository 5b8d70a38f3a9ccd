import { setTimeout as wait } from 'node:timers/promises';
import { isUnreachable } from './unreachable.js';
import { withinTime } from './within-time.js';

const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 2_000;

/**
 * Retries, at growing intervals and with jitter, while the database cannot be reached or has no primary. `attempt` must
 * be idempotent, because an earlier try may have been applied.
 *
 * @param forMs time after which the last error is thrown
 * @param tryMs time limit of the first try, whose connection may have died silently. Each further try gets twice as
 *   long, since the database may be slow. Default: no limit
 * @param end signal that ends the retries. The next failure after it is thrown
 */
export async function retryWhileUnreachable<Result>(
  forMs: number,
  attempt: () => Promise<Result>,
  tryMs?: number,
  end?: AbortSignal,
): Promise<Result> {
  const giveUpAt = performance.now() + forMs;
  for (let tries = 0; ; tries += 1) {
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** tries, MAX_WAIT_MS);
    try {
      return await (tryMs === undefined ? attempt() : withinTime(tryMs * 2 ** tries, attempt()));
    } catch (error) {
      if (!isUnreachable(error) || end?.aborted || performance.now() + waitMs > giveUpAt) throw error;
      await wait(waitMs * (0.5 + Math.random() / 2));
    }
  }
}
