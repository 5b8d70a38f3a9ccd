import type { Collection } from 'mongodb';
import type { EndedSessionDocument } from './ended-session-document.js';

/** Clocks differ: a session that expired by the database's clock may go on for so long by that of a server. */
const CLOCK_TOLERANCE_MS = 60 * 60_000;

/** Writes down that a session is over; again does nothing. */
export async function endSession(
  endedSessions: Collection<EndedSessionDocument>,
  id: string,
  expires: Date,
): Promise<void> {
  const expireAt = new Date(expires.getTime() + CLOCK_TOLERANCE_MS);
  await endedSessions.updateOne({ _id: id }, { $setOnInsert: { expireAt } }, { upsert: true });
}
