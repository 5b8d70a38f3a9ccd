import type { Collections } from '../../../src/collections/collections.js';
import { countExpiredLeases } from '../database/count-expired-leases.js';
import { examine, type Finding, failure, ok } from './finding.js';

/** Time for three worker invocations. One comes each minute and recovers every expired lease. */
const LATE_MS = 3 * 60_000;

/** Checks that jobs of crashed workers are recovered. */
export async function checkLeases(jobs: Collections['jobs']): Promise<readonly Finding[]> {
  const fix =
    'Check that the scheduler and the worker function are invoked every minute, and read their logs';
  return examine('leases', fix, async () => {
    const count = await countExpiredLeases(jobs, LATE_MS);
    if (count === 0) return ok('leases', 'no lease expired without being recovered');
    const lost = count === 1 ? '1 job of a crashed worker was' : `${count} jobs of crashed workers were`;
    return failure('leases', `${lost} not recovered for 3 minutes`, fix);
  });
}
