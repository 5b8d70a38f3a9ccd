import { setTimeout as wait } from 'node:timers/promises';
import { isUnreachable } from './unreachable.js';
import { withinTime } from './within-time.js';

const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 2_000;

/**
 * Tries again, ever more slowly and with jitter, while the database cannot be reached or has no primary. `attempt`
 * must be idempotent: an earlier try may have been applied.
 *
 * @param forMs after so long the last error is thrown
 * @param tryMs a try that is not answered within so long counts as failed, for its connection may have died without a
 *   word; each of the next is given twice as long, for the database may be slow. Default: each takes as long as it takes
 * @param end once it has fired, the next failure is the last
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
