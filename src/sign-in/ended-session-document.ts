import { type CollectionDescription, moment, text } from '../mongo/collection-description.js';

/** One document of the collection `endedSessions`: a session whose holder signed out before it expired. */
export interface EndedSessionDocument {
  /** The session's id. */
  readonly _id: string;
  /** When MongoDB deletes it: the session has expired by then. */
  readonly expireAt: Date;
}

export const endedSessionsCollection: CollectionDescription = {
  name: 'endedSessions',
  ours: { _id: text, expireAt: moment },
  // MongoDB deletes those that have expired. They have no other field.
  indexes: [{ name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 }],
  formerIndexes: [],
};
