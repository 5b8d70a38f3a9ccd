import type { Db } from 'mongodb';

/** Longer than any replica set takes that is well. */
const TIMEOUT_MS = 5_000;

/** Makes a write that changes nothing, and waits until a majority has it. @throws what the driver throws when none has */
export async function awaitMajority(db: Db): Promise<void> {
  await db
    .collection<{ _id: string }>('workers', { writeConcern: { w: 'majority', wtimeoutMS: TIMEOUT_MS } })
    .updateOne({ _id: 'remote-processor doctor' }, { $set: { processor: 'doctor' } });
}
