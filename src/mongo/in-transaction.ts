import { setTimeout as wait } from 'node:timers/promises';
import type { ClientSession, MongoClient, TransactionOptions } from 'mongodb';
import { hasLabel, serverCode } from './driver-error.js';
import { ELECTION_MS } from './election.js';
import { isUnreachable, isWriteConflict } from './unreachable.js';

/**
 * Overrides the client's connection string, as in `openCollection`. A transaction does not take these settings from the
 * collections, and refuses to read from a secondary.
 */
const durable: TransactionOptions = {
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
  readConcern: { level: 'snapshot' },
};

/** Another transaction held the data for longer than `inTransaction` was to wait. Nothing is written. */
export class HeldByAnother extends Error {
  override readonly name = 'HeldByAnother';
}

/** How long conflicts are retried. MongoDB frees the data of a killed process after a minute. */
const PATIENCE_MS = 120_000;

const FIRST_WAIT_MS = 5;
const MAX_WAIT_MS = 500;

/**
 * Does everything that `work` does with the session, or nothing.
 *
 * The driver's `withTransaction` only goes by the labels of errors. It gives up at a socket's own error, which has none
 * and occurs when all connections break at once. So this function decides what to retry.
 *
 * @param work called again for up to two minutes after conflicts with other transactions, and for the duration of an
 *   election while the database cannot be reached. A killed process leaves its transaction open until MongoDB ends it 60
 *   s after it began
 * @param conflictsUntil after this time, the next conflict is the last. Milliseconds since the epoch. Default: never
 * @throws HeldByAnother, and errors of `work`. Nothing is written then
 * @throws the driver's errors when the database cannot be reached for longer. It may be written then, if `work` had ended
 */
export function inTransaction<Result>(
  client: MongoClient,
  work: (session: ClientSession) => Promise<Result>,
  conflictsUntil = Number.POSITIVE_INFINITY,
): Promise<Result> {
  const patience = new Patience();
  return client.withSession(async (session) => {
    for (;;) {
      session.startTransaction(durable);
      const tried = await attempt(session, work);
      if (tried.kind === 'worked') {
        // Work that aborted the transaction did so on purpose.
        if (!session.inTransaction() || (await isCommitted(session, patience))) return tried.result;
        continue;
      }
      const { error } = tried;
      if (isWriteConflict(error) && Date.now() >= conflictsUntil)
        throw new HeldByAnother('Another transaction holds what was to be written.', { cause: error });
      await patience.orThrow(error, patienceFor(error));
    }
  });
}

type Tried<Result> =
  | { readonly kind: 'worked'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: unknown };

async function attempt<Result>(
  session: ClientSession,
  work: (session: ClientSession) => Promise<Result>,
): Promise<Tried<Result>> {
  try {
    return { kind: 'worked', result: await work(session) };
  } catch (error) {
    // If this does not arrive, the session's next transaction ends this one.
    if (session.inTransaction()) await session.abortTransaction();
    return { kind: 'failed', error };
  }
}

/**
 * Commits. A commit without a clear answer is sent again, which does no harm. Returns false if certainly nothing is
 * written, so the whole may be repeated.
 */
async function isCommitted(session: ClientSession, patience: Patience): Promise<boolean> {
  for (;;) {
    try {
      await session.commitTransaction();
      return true;
    } catch (error) {
      const isUndone = hasLabel(error, TRANSIENT);
      await patience.orThrow(error, isUndone || isRefusal(error) ? patienceFor(error) : ELECTION_MS);
      if (isUndone) return false;
    }
  }
}

/** The server's label for a transaction of which nothing is written, and that may succeed another time. */
const TRANSIENT = 'TransientTransactionError';

/** Returns whether a server refused the commit, and so has not done it. Any other error leaves that open. */
function isRefusal(error: unknown): boolean {
  const isAnswer = serverCode(error) !== undefined && !isUnreachable(error);
  return isAnswer && !hasLabel(error, 'UnknownTransactionCommitResult');
}

/** Returns for how long an error is retried. */
function patienceFor(error: unknown): number {
  if (isUnreachable(error) && !isWriteConflict(error)) return ELECTION_MS;
  return isWriteConflict(error) || hasLabel(error, TRANSIENT) ? PATIENCE_MS : 0;
}

/** The patience shared by all tries of a transaction. */
class Patience {
  readonly #began = performance.now();
  #tries = 0;

  /** Waits before the next try. Throws the error if that would begin later than `forMs` after the first. */
  async orThrow(error: unknown, forMs: number): Promise<void> {
    const waitMs = Math.random() * Math.min(FIRST_WAIT_MS * 1.5 ** this.#tries, MAX_WAIT_MS);
    if (performance.now() + waitMs >= this.#began + forMs) throw error;
    this.#tries += 1;
    await wait(waitMs);
  }
}
