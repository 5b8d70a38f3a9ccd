import { type CollectionDescription, moment, text } from '../mongo/collection-description.js';

/** A document of the collection `endedSessions`: a session whose user signed out before it expired. */
export interface EndedSessionDocument {
  /** The session's id. */
  readonly _id: string;
  /** When MongoDB deletes the document. The session has expired by then. */
  readonly expireAt: Date;
}

export const endedSessionsCollection: CollectionDescription = {
  name: 'endedSessions',
  ours: { _id: text, expireAt: moment },
  // MongoDB deletes expired documents. They have no other field by which to recognize ours.
  indexes: [{ name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 }],
  formerIndexes: [],
};
