import { types } from 'node:util';
import {
  fieldOf,
  hasLabel,
  hasServerCode,
  isBulkWriteError,
  nameOf,
  serverCode,
  systemCode,
} from './driver-error.js';

/**
 * Returns whether the database could not be asked, did not answer in time or was busy. The same request may succeed
 * later.
 */
export function isUnreachable(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  return isUnknownOutcome(error) || noAnswerNames.has(nameOf(error) ?? '');
}

/**
 * Returns whether another write of the same document came in between, so that nothing was written. Outside transactions
 * MongoDB itself tries again. Other databases with its protocol leave that to the client.
 */
export function isWriteConflict(error: unknown): boolean {
  return hasServerCode(error, WRITE_CONFLICT);
}

const WRITE_CONFLICT = 112;

/**
 * Names of errors that mean no answer. `NoAnswer` comes from `withinTime`. The driver's errors mean that nothing was
 * sent, because there is no primary or every connection of the pool is in use.
 */
const noAnswerNames = new Set([
  'NoAnswer',
  'MongoServerSelectionError',
  'MongoWaitQueueTimeoutError',
  'MongoTopologyClosedError',
]);

/**
 * Returns whether a write may or may not have been applied, because the connection broke or the primary stepped down
 * after it was sent. The driver itself resends writes of single documents once, but never an update of many. So a caller
 * that goes on after such an error reads back by token. Also true for a conflict, which reading back settles too.
 */
export function isUnknownOutcome(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (networkNames.has(nameOf(error) ?? '') || socketCodes.has(systemCode(error) ?? '')) return true;
  if (isWriteConflict(error) || notWritableCodes.has(serverCode(error) ?? 0)) return true;
  return hasLabel(error, 'RetryableWriteError');
}

/**
 * Returns the cause of a bulk write that could not be sent or was not answered. The driver wraps it in an error that
 * hides its kind.
 */
function unwrapped(error: unknown): unknown {
  const cause = fieldOf(error, 'errorResponse');
  return isBulkWriteError(error) && types.isNativeError(cause) ? cause : error;
}

/** The connection broke, or was closed beside one that broke. */
const networkNames = new Set(['MongoNetworkError', 'MongoNetworkTimeoutError', 'MongoPoolClearedError']);

/**
 * Codes of a server that is not, or no longer, the one to write to. Without a transaction number the server adds no
 * label. Source: MongoDB's specification "Retryable Writes".
 */
const notWritableCodes = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/**
 * Node's codes for a closing socket, such as one that died while a container was frozen. When a write fails so, the
 * driver (7.9) passes the error on as it is: not as a MongoNetworkError, without a label, and without a retry.
 */
const socketCodes = new Set(['EPIPE', 'ECONNRESET']);
