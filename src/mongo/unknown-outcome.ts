import { MongoError, MongoErrorLabel, MongoNetworkError } from 'mongodb';

/**
 * True when a write may or may not have been applied: the connection broke, or the primary stepped down, after
 * it was sent. The driver resends single-document writes by itself; an update of many it never does, so its
 * caller reads back by token.
 */
export function isUnknownOutcome(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    (error instanceof MongoError && error.hasErrorLabel(MongoErrorLabel.RetryableWriteError))
  );
}
