import type { Admitted, Gate } from '../flow/gate.js';
import type { ClaimedJob } from '../job/job.js';

/**
 * Admits claimed jobs. If that fails, none may start, and all are given back. Those that cannot be given back are recovered
 * once their leases expire.
 *
 * @param room how many jobs the worker can take
 * @throws the driver's errors
 */
export async function admitOrGiveBack(
  gate: Gate,
  claimed: readonly ClaimedJob[],
  room: number,
  giveBack: (job: ClaimedJob) => Promise<unknown>,
): Promise<Admitted> {
  try {
    return await gate.admit(claimed, room);
  } catch (error) {
    await Promise.allSettled(claimed.map(giveBack));
    throw error;
  }
}
