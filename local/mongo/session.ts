import { CommandError } from './errors.js';
import type { Transaction } from './storage/transaction.js';

/** The current or last transaction of a session. */
export interface SessionTransaction {
  readonly number: bigint;
  state: 'open' | 'committed' | 'aborted';
  readonly work: Transaction;
  /** The timer that ends an abandoned transaction after `transactionLifetimeLimitSeconds`, as MongoDB does. */
  readonly expiry: NodeJS.Timeout;
}

/** A logical session. Has at most one transaction at a time, and the outcomes of its latest retryable write. */
export class Session {
  transaction: SessionTransaction | undefined;
  /** The highest transaction number seen. */
  #number = -1n;
  /** The outcome of each statement of the latest retryable write. */
  #outcomes = new Map<number, unknown>();
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the session's commands one after the other, so that a resent command waits for the first. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Begins a retryable write or a transaction with this number. Throws 225 if a newer one has begun. */
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

  /** Returns whether the statement has been executed already. */
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
