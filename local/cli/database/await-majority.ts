import type { Collections } from '../../../src/mongo/collections.js';

/** Longer than any replica set takes that is well. */
const TIMEOUT_MS = 5_000;

/** Makes a write that changes nothing, and waits until a majority has it. @throws what the driver throws when none has */
export async function awaitMajority(workers: Collections['workers']): Promise<void> {
  await workers.updateOne(
    { _id: 'remote-processor doctor' },
    { $set: { processor: 'doctor' } },
    { writeConcern: { w: 'majority', wtimeoutMS: TIMEOUT_MS } },
  );
}
