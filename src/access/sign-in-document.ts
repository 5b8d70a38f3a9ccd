/** How often one address may fail to sign in within the window. Nobody mistypes a key ten times in a row. */
export const MAX_FAILED_SIGN_INS = 10;

/** How long a failure counts, in milliseconds: 15 minutes. */
export const SIGN_IN_WINDOW_MS = 15 * 60_000;

/** One attempt to sign in. It counts as failed unless it is taken back. */
export interface SignInAttempt {
  readonly id: string;
  readonly at: Date;
}

/** One document of the collection `signIns`: the attempts of one address that failed lately. */
export interface SignInDocument {
  /** The address. */
  readonly _id: string;
  /** At most `MAX_FAILED_SIGN_INS`, the oldest first. */
  readonly failures: readonly SignInAttempt[];
  /** The database's time when it was written last. */
  readonly written: Date;
  /** When MongoDB deletes it. */
  readonly expireAt: Date;
}
