import { setTimeout as wait } from 'node:timers/promises';
import type { ClientSession, MongoClient, TransactionOptions } from 'mongodb';
import { hasLabel, serverCode } from './driver-error.js';
import { ELECTION_MS } from './election.js';
import { isUnreachable, isWriteConflict } from './unreachable.js';

/**
 * Overrides the client's connection string, like the options in `openCollection`. A transaction does not take these settings
 * from the collections. It refuses to read from a secondary.
 */
const durable: TransactionOptions = {
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
  readConcern: { level: 'snapshot' },
};

/** Another transaction held the data for longer than `inTransaction` was allowed to wait. Nothing is written. */
export class HeldByAnother extends Error {
  override readonly name = 'HeldByAnother';
}

/** How long conflicts are retried. MongoDB releases the data of a killed process after a minute. */
const PATIENCE_MS = 120_000;

const FIRST_WAIT_MS = 5;
const MAX_WAIT_MS = 500;

/**
 * Does everything that `work` does with the session, or nothing.
 *
 * The driver's `withTransaction` decides only by the labels of errors. A plain socket error has none, so it gives up there.
 * Such an error occurs when all connections break at once. So this function decides what to retry.
 *
 * @param work repeated after conflicts with other transactions, for up to two minutes. MongoDB ends the transaction of a killed
 * process only 60 s after it began. Also repeated while the database cannot be reached, for the duration of an election
 * @param conflictsUntil after this time, a conflict is not retried. Milliseconds since the epoch. Default: never
 * @throws HeldByAnother, and errors of `work`. Nothing is written then
 * @throws the driver's errors if the database cannot be reached for longer. If `work` had ended, its writes may have been
 * applied
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
        // If `work` aborted the transaction, it did so on purpose.
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
    // If the abort does not reach the server, the session's next transaction ends this one.
    if (session.inTransaction()) await session.abortTransaction();
    return { kind: 'failed', error };
  }
}

/**
 * Commits. Sends a commit without a clear answer again, which is safe. Returns false if certainly nothing was written. The
 * whole transaction may then be repeated.
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

/** The server's label for a transaction that wrote nothing and may succeed when repeated. */
const TRANSIENT = 'TransientTransactionError';

/**
 * Returns whether the server refused the commit, and so did not carry it out. After any other error, it may have carried it
 * out.
 */
function isRefusal(error: unknown): boolean {
  const isAnswer = serverCode(error) !== undefined && !isUnreachable(error);
  return isAnswer && !hasLabel(error, 'UnknownTransactionCommitResult');
}

/** Returns how long to retry after this error. */
function patienceFor(error: unknown): number {
  if (isUnreachable(error) && !isWriteConflict(error)) return ELECTION_MS;
  return isWriteConflict(error) || hasLabel(error, TRANSIENT) ? PATIENCE_MS : 0;
}

/** How long all tries of a transaction may take together. */
class Patience {
  readonly #began = performance.now();
  #tries = 0;

  /** Waits before the next try. Throws the error instead if that try would begin more than `forMs` after the first. */
  async orThrow(error: unknown, forMs: number): Promise<void> {
    const waitMs = Math.random() * Math.min(FIRST_WAIT_MS * 1.5 ** this.#tries, MAX_WAIT_MS);
    if (performance.now() + waitMs >= this.#began + forMs) throw error;
    this.#tries += 1;
    await wait(waitMs);
  }
}
