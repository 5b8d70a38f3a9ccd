import type { ClientSession, MongoClient } from 'mongodb';
import { ConflictError } from '../errors.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { HeldByAnother, inTransaction } from '../mongo/in-transaction.js';

/**
 * How long to wait for an item, since a person waits for the result. MongoDB keeps the locks of a killed process for up
 * to 60 s.
 */
const PATIENCE_MS = 10_000;

/**
 * Does everything that `work` does with an item, or nothing.
 *
 * @param work repeated after a conflict with another transaction
 * @throws ConflictError if another transaction holds the item for more than 10 s, or a unique index refuses a write
 * @throws any other error of `work`
 */
export async function inItemTransaction<Result>(
  client: MongoClient,
  id: string,
  work: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
  try {
    return await inTransaction(client, work, Date.now() + PATIENCE_MS);
  } catch (error) {
    if (isDuplicateKey(error)) {
      const values = JSON.stringify(error.keyValue ?? error.message);
      throw new ConflictError(
        id,
        `Scheduler item '${id}' was not written: a unique index has ${values} already.`,
      );
    }
    if (!(error instanceof HeldByAnother)) throw error;
    throw new ConflictError(
      id,
      `Scheduler item '${id}' is held by another transaction, perhaps of a process that was killed, and was not changed: try again in a minute.`,
    );
  }
}
