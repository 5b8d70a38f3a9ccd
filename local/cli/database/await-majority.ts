import type { Collections } from '../../../src/collections/collections.js';

/** Longer than any healthy replica set takes. */
const TIMEOUT_MS = 5_000;

/** Makes a write that changes nothing, and waits for a majority to have it. @throws the driver's error when none has */
export async function awaitMajority(workers: Collections['workers']): Promise<void> {
  await workers.updateOne(
    { _id: 'remote-processor doctor' },
    { $set: { processor: 'doctor' } },
    { writeConcern: { w: 'majority', wtimeoutMS: TIMEOUT_MS } },
  );
}
