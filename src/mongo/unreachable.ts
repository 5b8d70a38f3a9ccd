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

/** True when the database could not be asked, or not in time, or was busy: the same request may succeed later. */
export function isUnreachable(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  return isUnknownOutcome(error) || noAnswerNames.has(nameOf(error) ?? '');
}

/**
 * Another write of the same document came in between, and nothing was written. Outside of transactions MongoDB tries
 * again by itself; others that speak its protocol leave that to the client.
 */
export function isWriteConflict(error: unknown): boolean {
  return hasServerCode(error, WRITE_CONFLICT);
}

const WRITE_CONFLICT = 112;

/**
 * By the first, `withinTime` says that there was no answer; by the others the driver that nothing was sent: there is no
 * primary, or every connection of the pool is in use.
 */
const noAnswerNames = new Set([
  'NoAnswer',
  'MongoServerSelectionError',
  'MongoWaitQueueTimeoutError',
  'MongoTopologyClosedError',
]);

/**
 * True when a write may or may not have been applied: the connection broke, or the primary stepped down, after
 * it was sent. The driver resends single-document writes by itself, once; an update of many it never does. So
 * whoever goes on after such an error reads back by token. True also for a conflict, of which that would tell as much.
 */
export function isUnknownOutcome(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (networkNames.has(nameOf(error) ?? '') || socketCodes.has(systemCode(error) ?? '')) return true;
  if (isWriteConflict(error) || notWritableCodes.has(serverCode(error) ?? 0)) return true;
  return hasLabel(error, 'RetryableWriteError');
}

/** The driver puts what keeps a bulk write from being sent, or answered, into an error that hides its kind. */
function unwrapped(error: unknown): unknown {
  const cause = fieldOf(error, 'errorResponse');
  return isBulkWriteError(error) && types.isNativeError(cause) ? cause : error;
}

/** The connection broke, or was closed beside one that broke. */
const networkNames = new Set(['MongoNetworkError', 'MongoNetworkTimeoutError', 'MongoPoolClearedError']);

/**
 * Codes of errors by which a server says that it is not, or no longer, the one to write to. Without a transaction
 * number the server marks them with no label. Source: MongoDB's specification "Retryable Writes".
 */
const notWritableCodes = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/**
 * What Node says of a socket that is closing, as a container's are that died while it was frozen. The driver (7.9)
 * passes it on as it is when it comes of a write: not as a MongoNetworkError, with no label, not tried again.
 */
const socketCodes = new Set(['EPIPE', 'ECONNRESET']);
