import type { Collection } from 'mongodb';
import type { EndedSessionDocument } from './ended-session-document.js';

/** Returns whether the user of a session signed out. */
export async function isSessionEnded(
  endedSessions: Collection<EndedSessionDocument>,
  id: string,
): Promise<boolean> {
  return (await endedSessions.findOne({ _id: id }, { projection: { _id: 1 } })) !== null;
}
