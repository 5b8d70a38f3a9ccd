/** One document of the collection `endedSessions`: a session whose holder signed out before it expired. */
export interface EndedSessionDocument {
  /** The session's id. */
  readonly _id: string;
  /** When MongoDB deletes it: the session has expired by then. */
  readonly expireAt: Date;
}
