import { type ClientSession, type MongoClient, MongoServerError, type TransactionOptions } from 'mongodb';

/**
 * Whatever the client's connection string says, as for `openCollections`: a transaction does not take these from the
 * collections, and refuses to read from a secondary.
 */
const durable: TransactionOptions = {
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
  readConcern: { level: 'snapshot' },
};

/** Another transaction held what was to be written, for longer than `inTransaction` was to wait. Nothing is written. */
export class HeldByAnother extends Error {
  override readonly name = 'HeldByAnother';
}

/** MongoDB's code of it. */
const WRITE_CONFLICT = 112;

/**
 * Does all that `work` does with the session, or nothing of it.
 *
 * @param work is called again after a conflict with another transaction, for up to two minutes. A process that is killed
 *   leaves its transaction open until MongoDB ends it, 60 s after it began
 * @param conflictsUntil from then on the next conflict is the last. Milliseconds since the epoch; default: never
 * @throws HeldByAnother, and what `work` throws; nothing is written then
 */
export function inTransaction<Result>(
  client: MongoClient,
  work: (session: ClientSession) => Promise<Result>,
  conflictsUntil = Number.POSITIVE_INFINITY,
): Promise<Result> {
  const attempt = async (session: ClientSession): Promise<Result> => {
    try {
      return await work(session);
    } catch (error) {
      if (isWriteConflict(error) && Date.now() >= conflictsUntil)
        throw new HeldByAnother('Another transaction holds what was to be written.', { cause: error });
      throw error;
    }
  };
  return client.withSession((session) => session.withTransaction(() => attempt(session), durable));
}

function isWriteConflict(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === WRITE_CONFLICT;
}
