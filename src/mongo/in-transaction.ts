import { setTimeout as wait } from 'node:timers/promises';
import type { ClientSession, MongoClient, TransactionOptions } from 'mongodb';
import { hasLabel, serverCode } from './driver-error.js';
import { ELECTION_MS } from './election.js';
import { isUnreachable, isWriteConflict } from './unreachable.js';

/**
 * Whatever the client's connection string says, as for `openCollection`: a transaction does not take these from the
 * collections, and refuses to read from a secondary.
 */
const durable: TransactionOptions = {
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
  readConcern: { level: 'snapshot' },
};

/** Another transaction held what was to be written, for longer than `inTransaction` was to wait. Nothing is written. */
export class HeldByAnother extends Error {
  override readonly name = 'HeldByAnother';
}

/** After a conflict: what a killed process held is free after a minute. */
const PATIENCE_MS = 120_000;

const FIRST_WAIT_MS = 5;
const MAX_WAIT_MS = 500;

/**
 * Does all that `work` does with the session, or nothing of it.
 *
 * The driver's `withTransaction` goes by the labels of errors alone. It gives up when a socket's own error comes
 * through, which has none, as it does when all connections break at once; so what is tried again is decided here.
 *
 * @param work is called again after a conflict with another transaction, for up to two minutes, and while the database
 *   cannot be reached, for as long as an election takes. A process that is killed leaves its transaction open until
 *   MongoDB ends it, 60 s after it began
 * @param conflictsUntil from then on the next conflict is the last. Milliseconds since the epoch; default: never
 * @throws HeldByAnother, and what `work` throws; nothing is written then. What the driver throws when the database
 *   cannot be reached for longer: then it may be written, if `work` had come to its end
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
        // Work that aborted the transaction meant to.
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
    // Where this does not arrive, the next transaction of the session ends this one.
    if (session.inTransaction()) await session.abortTransaction();
    return { kind: 'failed', error };
  }
}

/**
 * Commits; a commit that was not answered, or not understood, is sent again, which does no harm. False when nothing is
 * written for certain, and the whole may be done again.
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

/** By this the server says that nothing is written, and that the same may go well another time. */
const TRANSIENT = 'TransientTransactionError';

/** A server that answers what it will not do has not done it; whatever else is thrown tells nothing about that. */
function isRefusal(error: unknown): boolean {
  const isAnswer = serverCode(error) !== undefined && !isUnreachable(error);
  return isAnswer && !hasLabel(error, 'UnknownTransactionCommitResult');
}

/** For how long an error is worth another try. */
function patienceFor(error: unknown): number {
  if (isUnreachable(error) && !isWriteConflict(error)) return ELECTION_MS;
  return isWriteConflict(error) || hasLabel(error, TRANSIENT) ? PATIENCE_MS : 0;
}

/** Of all tries of one transaction. */
class Patience {
  readonly #began = performance.now();
  #tries = 0;

  /** Waits before the next try; throws the error when it would begin later than so long after the first. */
  async orThrow(error: unknown, forMs: number): Promise<void> {
    const waitMs = Math.random() * Math.min(FIRST_WAIT_MS * 1.5 ** this.#tries, MAX_WAIT_MS);
    if (performance.now() + waitMs >= this.#began + forMs) throw error;
    this.#tries += 1;
    await wait(waitMs);
  }
}
