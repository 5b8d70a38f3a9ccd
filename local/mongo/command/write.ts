import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { LockedRecord, type LockOwner } from '../storage/conflicts.js';
import { Journal } from '../storage/journal.js';
import type { View } from '../storage/view.js';
import type { CommandContext } from './command.js';

/** The failure of one statement of a write command. */
export interface WriteError extends Doc {
  index: number;
  code: number;
}

/**
 * Runs one statement. Outside a transaction, the statement may meet a record that an open transaction has written. Then
 * its changes are undone, and it runs again after the transaction's end. After any other error its changes stay, as in
 * MongoDB.
 */
export async function runStatement<T>(
  context: CommandContext,
  collection: string,
  statement: (view: View) => T,
): Promise<T> {
  if (context.catalog.find(context.database, collection)?.options.viewOn !== undefined) {
    throw new CommandError(166, `Namespace ${context.database}.${collection} is a view, not a collection`);
  }
  if (context.transaction !== undefined) {
    const { database, transaction } = context;
    const target = transaction.findOrPrepare(database, collection);
    return statement(transaction.viewOf(target, `${database}.${collection}`));
  }
  for (;;) {
    const journal = new Journal();
    try {
      return statement(context.catalog.view(context.database, collection, journal));
    } catch (error) {
      if (!(error instanceof LockedRecord)) throw error;
      journal.rollBack();
      await endOf(error.owner, context.body.maxTimeMS);
    }
  }
}

/** Waits for a transaction to end, within the command's time limit. */
export async function endOf(transaction: LockOwner, maxTimeMS: unknown): Promise<void> {
  const limit = maxTimeMS === undefined ? 0 : toNumber(maxTimeMS);
  if (limit === 0) return transaction.ended;
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CommandError(50, 'operation exceeded time limit')), limit);
  });
  await Promise.race([transaction.ended, expired]).finally(() => clearTimeout(timer));
}

/**
 * Executes a statement, unless the same retryable write executed it before. Returns the outcome, and whether it is the
 * outcome of that earlier execution.
 */
export async function once<T>(
  context: CommandContext,
  statement: number,
  execute: () => Promise<T>,
): Promise<{ outcome: T; repeated: boolean }> {
  const { session, retryable } = context;
  if (!retryable || session === undefined) return { outcome: await execute(), repeated: false };
  if (session.hasExecuted(statement)) return { outcome: session.outcomeOf(statement) as T, repeated: true };
  const outcome = await execute();
  session.remember(statement, outcome);
  return { outcome, repeated: false };
}

/** Returns the number of the i-th statement of a retryable write. */
export function statementId({ body }: CommandContext, i: number): number {
  if (Array.isArray(body.stmtIds)) return toNumber(body.stmtIds[i]);
  return body.stmtId === undefined ? i : toNumber(body.stmtId) + i;
}

/**
 * Runs the statements of a write command. Reports each failed statement by its index, and stops at the first if
 * `ordered`. In a transaction, an error ends the whole command and the transaction.
 */
export async function runStatements<T>(
  context: CommandContext,
  statements: readonly T[],
  execute: (statement: T, i: number) => Promise<void>,
): Promise<WriteError[]> {
  const errors: WriteError[] = [];
  for (const [i, statement] of statements.entries()) {
    try {
      await execute(statement, i);
    } catch (error) {
      if (!(error instanceof CommandError) || endsCommand(error)) throw error;
      errors.push({ index: i, code: error.code, errmsg: error.message, ...error.details });
      if (context.body.ordered !== false || context.transaction !== undefined) break;
    }
  }
  return errors;
}

/** Returns whether an error ends the whole command. A transaction's conflict and the time limit do. */
function endsCommand({ code, labels }: CommandError): boolean {
  return labels.length > 0 || code === 50;
}

/** Throws for a write command without statements, or with more than MongoDB accepts. */
export function requireStatements(statements: readonly unknown[]): void {
  if (statements.length >= 1 && statements.length <= 100_000) return;
  throw new CommandError(
    72,
    `Write batch sizes must be between 1 and 100000. Got ${statements.length} operations.`,
  );
}

/** Throws for a document that is too large to be stored. */
export function requireFits(stored: string): void {
  if (stored.length <= 16 * 1024 * 1024) return;
  throw new CommandError(
    10334,
    `BSONObj size: ${stored.length} (0x${stored.length.toString(16)}) is invalid. Size must be between 0 and 16793600(16MB)`,
  );
}

/** Throws for a value that may not be an `_id`. */
export function requireValidId(id: unknown): void {
  const type = typeOf(id);
  if (type === 'array' || type === 'regex' || type === 'missing') {
    throw new CommandError(
      53,
      `The '_id' value cannot be of type ${type === 'missing' ? 'undefined' : type}`,
    );
  }
  if (!isDoc(id)) return;
  const dollar = Object.keys(id).find(
    (name) => name.startsWith('$') && !['$ref', '$id', '$db'].includes(name),
  );
  if (dollar !== undefined) {
    throw new CommandError(
      52,
      `_id fields may not contain '$'-prefixed fields: ${dollar} is not valid for storage.`,
    );
  }
}
