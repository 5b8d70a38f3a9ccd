import { CommandError } from './errors.js';
import type { Transaction } from './storage/transaction.js';

/** The transaction of a session, or what became of the last one. */
export interface SessionTransaction {
  readonly number: bigint;
  state: 'open' | 'committed' | 'aborted';
  readonly work: Transaction;
  /** Ends it after `transactionLifetimeLimitSeconds`, as MongoDB does with abandoned ones. */
  readonly expiry: NodeJS.Timeout;
}

/** A logical session: at most one transaction at a time, and the outcomes of its retryable writes. */
export class Session {
  transaction: SessionTransaction | undefined;
  /** The highest transaction number seen. */
  #number = -1n;
  /** What each statement of the latest retryable write gave. */
  #outcomes = new Map<number, unknown>();
  #last: Promise<unknown> = Promise.resolve();

  /** Runs commands of the session one after the other, so that a resent one waits for the first. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Begins a retryable write or a transaction with this number. Throws 225 for one that is over. */
  begin(number: bigint): void {
    if (number < this.#number) {
      throw new CommandError(
        225,
        `Cannot start transaction ${number} on session because a newer transaction ${this.#number} has already started.`,
      );
    }
    if (number === this.#number) return;
    this.#number = number;
    this.#outcomes = new Map();
  }

  /** The highest transaction number seen. */
  get number(): bigint {
    return this.#number;
  }

  /** Whether the statement has been executed already. */
  hasExecuted(statement: number): boolean {
    return this.#outcomes.has(statement);
  }

  outcomeOf(statement: number): unknown {
    return this.#outcomes.get(statement);
  }

  remember(statement: number, outcome: unknown): void {
    this.#outcomes.set(statement, outcome);
  }
}
