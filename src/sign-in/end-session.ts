import type { Collection } from 'mongodb';
import type { EndedSessionDocument } from './ended-session-document.js';

/**
 * How much longer the document is kept. A server's clock may be behind the database's, so that the server accepts the session
 * longer.
 */
const CLOCK_TOLERANCE_MS = 60 * 60_000;

/** Records that a session has ended. Does nothing if that is recorded already. */
export async function endSession(
  endedSessions: Collection<EndedSessionDocument>,
  id: string,
  expires: Date,
): Promise<void> {
  const expireAt = new Date(expires.getTime() + CLOCK_TOLERANCE_MS);
  await endedSessions.updateOne({ _id: id }, { $setOnInsert: { expireAt } }, { upsert: true });
}
