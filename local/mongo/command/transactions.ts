import { CommandError } from '../errors.js';
import type { Session, SessionTransaction } from '../session.js';
import { writeConflict } from '../storage/conflicts.js';
import type { Command, CommandContext } from './command.js';

/** `commitTransaction` succeeds again when it is repeated. */
export const commitTransaction: Command = {
  fields: { recoveryToken: 'object' },
  transactional: true,
  run: (context) => {
    const transaction = transactionOf(context);
    if (transaction.state === 'aborted') throw aborted(transaction.number);
    if (transaction.state === 'open') {
      if (transaction.work.commit()) finish(transaction, 'committed');
      else {
        abort(transaction);
        throw writeConflict();
      }
    }
    return {};
  },
};

export const abortTransaction: Command = {
  fields: { recoveryToken: 'object' },
  transactional: true,
  run: (context) => {
    const transaction = transactionOf(context);
    if (transaction.state === 'committed') {
      throw new CommandError(256, `Transaction ${transaction.number} has been committed.`);
    }
    if (transaction.state === 'aborted') throw aborted(transaction.number);
    abort(transaction);
    return {};
  },
};

/** Aborts a transaction if it is open. */
export function abort(transaction: SessionTransaction): void {
  if (transaction.state !== 'open') return;
  transaction.work.abort();
  finish(transaction, 'aborted');
}

function finish(transaction: SessionTransaction, state: 'committed' | 'aborted'): void {
  transaction.state = state;
  clearTimeout(transaction.expiry);
}

function transactionOf({ session, body }: CommandContext): SessionTransaction {
  const transaction = session?.transaction;
  if (transaction === undefined || transaction.number !== BigInt(String(body.txnNumber))) {
    throw noSuchTransaction(body.txnNumber);
  }
  return transaction;
}

/** Returns the open transaction that a command with this number continues. Throws 251 if there is none. */
export function continuedTransaction(session: Session, number: bigint): SessionTransaction {
  const transaction = session.transaction;
  if (transaction === undefined || transaction.number !== number) throw noSuchTransaction(number);
  if (transaction.state === 'aborted') throw aborted(number);
  if (transaction.state === 'committed')
    throw new CommandError(256, `Transaction ${number} has been committed.`);
  return transaction;
}

function noSuchTransaction(number: unknown): CommandError {
  return new CommandError(
    251,
    `Given transaction number ${number} does not match any in-progress transactions.`,
    {
      labels: ['TransientTransactionError'],
    },
  );
}

function aborted(number: bigint): CommandError {
  return new CommandError(251, `Transaction ${number} has been aborted.`, {
    labels: ['TransientTransactionError'],
  });
}
