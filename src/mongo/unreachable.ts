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
 * Returns whether the database could not be reached, did not answer in time or was busy. The same request may succeed
 * later.
 */
export function isUnreachable(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  return isUnknownOutcome(error) || noAnswerNames.has(nameOf(error) ?? '');
}

/**
 * Returns whether another write of the same document came first, so that nothing was written. Outside transactions, MongoDB
 * itself retries. Other databases with its protocol leave that to the client.
 */
export function isWriteConflict(error: unknown): boolean {
  return hasServerCode(error, WRITE_CONFLICT);
}

const WRITE_CONFLICT = 112;

/**
 * Names of errors that mean that there was no answer. `NoAnswer` comes from `withinTime`. With the driver's errors, nothing was
 * sent: there is no primary, or every connection of the pool is in use.
 */
const noAnswerNames = new Set([
  'NoAnswer',
  'MongoServerSelectionError',
  'MongoWaitQueueTimeoutError',
  'MongoTopologyClosedError',
]);

/**
 * Returns whether the outcome of a write is unknown. The connection broke, or the primary stepped down after the write was
 * sent. The driver retries writes of single documents once, but never an update of many. So a caller that continues after such
 * an error reads back by token. Also returns true for a write conflict, which reading back resolves too.
 */
export function isUnknownOutcome(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (networkNames.has(nameOf(error) ?? '') || socketCodes.has(systemCode(error) ?? '')) return true;
  if (isWriteConflict(error) || notWritableCodes.has(serverCode(error) ?? 0)) return true;
  return hasLabel(error, 'RetryableWriteError');
}

/**
 * Returns the cause of a bulk write's error if the write could not be sent or was not answered. The driver wraps that cause in
 * an error that hides its kind. Returns any other error unchanged.
 */
function unwrapped(error: unknown): unknown {
  const cause = fieldOf(error, 'errorResponse');
  return isBulkWriteError(error) && types.isNativeError(cause) ? cause : error;
}

/** Names of errors of a broken connection, or of a connection that was closed because another broke. */
const networkNames = new Set(['MongoNetworkError', 'MongoNetworkTimeoutError', 'MongoPoolClearedError']);

/**
 * Codes of a server that is not the primary, or is no longer the primary. The server adds no label to such errors if the write
 * had no transaction number. Source: MongoDB's specification "Retryable Writes".
 */
const notWritableCodes = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/**
 * Node's codes for a closed socket, for example a socket that died while a container was frozen. The driver (7.9) does not
 * retry a write that fails like this. It passes the error on without a label, and not as a MongoNetworkError.
 */
const socketCodes = new Set(['EPIPE', 'ECONNRESET']);
