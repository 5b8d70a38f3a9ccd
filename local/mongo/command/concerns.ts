import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc, isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';

const READ_LEVELS = new Set(['local', 'majority', 'linearizable', 'available', 'snapshot']);

/** Commands that accept read concern `local` only. As the first command of a transaction, they accept any. */
const WRITES = new Set(['insert', 'update', 'delete', 'findAndModify', 'findandmodify']);

/**
 * Throws for a read concern level that MongoDB or the command does not have. With one member, all levels read the same.
 */
export function checkReadConcern(name: string, { readConcern, autocommit }: Doc): void {
  if (!isDoc(readConcern) || readConcern.level === undefined) return;
  if (typeof readConcern.level !== 'string' || !READ_LEVELS.has(readConcern.level)) {
    throw new CommandError(
      9,
      `Enumeration value '${readConcern.level}' for field 'readConcern.level' is not a valid value.`,
    );
  }
  if (WRITES.has(name) && autocommit === undefined && readConcern.level !== 'local') {
    throw new CommandError(
      72,
      `Command ${name} does not support { readConcern: { level: "${readConcern.level}" } } :: caused by :: read concern not supported`,
    );
  }
  if (readConcern.level === 'snapshot' && autocommit === undefined) {
    throw new CommandError(72, 'readConcern level snapshot is only supported in transactions by this server');
  }
}

/**
 * Returns a write concern error if more than one member must confirm the write. Otherwise returns an empty document. The
 * write is done in both cases.
 */
export function writeConcernError({ writeConcern }: Doc): Doc {
  if (!isDoc(writeConcern) || writeConcern.w === undefined || writeConcern.w === 'majority') return {};
  const { w } = writeConcern;
  if (isNumeric(w) && toNumber(w) <= 1) return {};
  if (isNumeric(w)) {
    return failure(100, 'UnsatisfiableWriteConcern', 'Not enough data-bearing nodes');
  }
  return failure(
    79,
    'UnknownReplWriteConcern',
    `No write concern mode named '${w}' found in replica set configuration`,
  );
}

function failure(code: number, codeName: string, errmsg: string): Doc {
  return { writeConcernError: { code, codeName, errmsg } };
}
