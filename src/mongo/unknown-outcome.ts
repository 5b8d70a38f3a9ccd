import { MongoError, MongoErrorLabel, MongoNetworkError, MongoServerError } from 'mongodb';
import { isSocketError } from './socket-error.js';

/**
 * Codes of errors by which a server says that it is not, or no longer, the one to write to. Without a transaction
 * number the server marks them with no label. Source: MongoDB's specification "Retryable Writes".
 */
const notWritableCodes = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/**
 * True when a write may or may not have been applied: the connection broke, or the primary stepped down, after
 * it was sent. The driver resends single-document writes by itself, once; an update of many it never does. So
 * whoever goes on after such an error reads back by token.
 */
export function isUnknownOutcome(error: unknown): boolean {
  if (error instanceof MongoNetworkError || isSocketError(error)) return true;
  if (error instanceof MongoServerError && notWritableCodes.has(Number(error.code))) return true;
  return error instanceof MongoError && error.hasErrorLabel(MongoErrorLabel.RetryableWriteError);
}
