import type { Collections } from '../../../src/collections/collections.js';

/** The longest wait. A healthy replica set takes less. */
const TIMEOUT_MS = 5_000;

/**
 * Makes a write without effect, and waits until a majority has it. @throws the driver's error if the wait takes too long
 */
export async function awaitMajority(workers: Collections['workers']): Promise<void> {
  await workers.updateOne(
    { _id: 'remote-processor doctor' },
    { $set: { processor: 'doctor' } },
    { writeConcern: { w: 'majority', wtimeoutMS: TIMEOUT_MS } },
  );
}
