import type { ClientSession, MongoClient, TransactionOptions } from 'mongodb';

/**
 * Whatever the client's connection string says, as for `openCollections`: a transaction does not take these from the
 * collections, and refuses to read from a secondary.
 */
const durable: TransactionOptions = {
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
  readConcern: { level: 'snapshot' },
};

/**
 * Does all that `work` does with the session, or nothing of it.
 *
 * @param work is called again after a conflict with another transaction, for up to two minutes
 * @throws what `work` throws; nothing is written then
 */
export function inTransaction<Result>(
  client: MongoClient,
  work: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
  return client.withSession((session) => session.withTransaction(() => work(session), durable));
}
