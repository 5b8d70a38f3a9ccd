import type { Doc } from './bson/decode.js';
import { toNumber } from './bson/to-number.js';
import { isDoc, isNumeric } from './bson/type-of.js';
import { CommandError } from './errors.js';

/** Thrown to end the connection instead of answering. */
export class ConnectionCut extends Error {}

/** The options of MongoDB's `failCommand` that this server supports. */
const DATA = new Set([
  'failCommands',
  'errorCode',
  'closeConnection',
  'errorLabels',
  'writeConcernError',
  'blockConnection',
  'blockTimeMS',
]);

/** Errors after which drivers retry a write. The server marks them as retryable. */
const RETRYABLE = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** Errors after which a whole transaction can run again, even when its commit fails with them. */
const TRANSIENT = new Set([24, 112, 246, 251, 267]);

/**
 * MongoDB's `configureFailPoint: 'failCommand'`, which makes commands fail in tests. A command may get an error, a
 * delay, a lost connection before it runs, or a write concern error after it has run.
 */
export class FailPoint {
  #left = 0;
  #data: Doc = {};

  /** Sets the fail point, or removes it with `mode: 'off'`. */
  configure({ configureFailPoint, mode, data }: Doc): void {
    if (configureFailPoint !== 'failCommand')
      throw new CommandError(238, `the fail point ${configureFailPoint} is not supported by this server`);
    this.#left = timesOf(mode);
    this.#data = isDoc(data) ? data : {};
    const unknown = Object.keys(this.#data).find((name) => !DATA.has(name));
    if (unknown === undefined) return;
    this.#left = 0;
    throw new CommandError(238, `the option '${unknown}' of failCommand is not supported by this server`);
  }

  /** Applies the fail point to a command before it runs, and returns fields to add to the reply. */
  async strike(name: string, body: Doc): Promise<Doc> {
    const {
      failCommands,
      errorCode,
      closeConnection,
      errorLabels,
      writeConcernError,
      blockConnection,
      blockTimeMS,
    } = this.#data;
    if (this.#left <= 0 || !Array.isArray(failCommands) || !failCommands.includes(name)) return {};
    this.#left -= 1;
    if (blockConnection) await new Promise((resolve) => setTimeout(resolve, toNumber(blockTimeMS)).unref());
    if (closeConnection) throw new ConnectionCut();
    if (errorCode !== undefined) {
      const code = toNumber(errorCode);
      const labels = Array.isArray(errorLabels) ? errorLabels.map(String) : labelsOf(code, name, body);
      throw new CommandError(code, `Failing command via 'failCommand' failpoint`, { labels });
    }
    return isDoc(writeConcernError) ? withLabels(writeConcernError, errorLabels, name, body) : {};
  }
}

function timesOf(mode: unknown): number {
  if (mode === 'off') return 0;
  if (mode === 'alwaysOn') return Number.POSITIVE_INFINITY;
  if (isDoc(mode) && isNumeric(mode.times) && Object.keys(mode).length === 1) return toNumber(mode.times);
  throw new CommandError(2, `the mode of a fail point is 'off', 'alwaysOn' or { times: n }`);
}

function labelsOf(code: number, name: string, body: Doc): string[] {
  const inTransaction = body.autocommit === false;
  const ends = name === 'commitTransaction' || name === 'abortTransaction';
  if (inTransaction && (TRANSIENT.has(code) || (!ends && RETRYABLE.has(code))))
    return ['TransientTransactionError'];
  return body.txnNumber !== undefined && RETRYABLE.has(code) ? ['RetryableWriteError'] : [];
}

function withLabels(writeConcernError: Doc, errorLabels: unknown, name: string, body: Doc): Doc {
  const inTransaction =
    body.autocommit === false && name !== 'commitTransaction' && name !== 'abortTransaction';
  const retryable =
    !inTransaction && body.txnNumber !== undefined && RETRYABLE.has(toNumber(writeConcernError.code));
  const labels = Array.isArray(errorLabels) ? errorLabels : retryable ? ['RetryableWriteError'] : [];
  return { writeConcernError, ...(labels.length > 0 && { errorLabels: labels }) };
}
