import { MongoError, MongoErrorLabel, MongoNetworkError, MongoServerSelectionError } from 'mongodb';
import { isSocketError } from './socket-error.js';

/** Seen while a replica set has no primary, or when every connection of the pool is in use. */
const transientNames = new Set([
  'MongoWaitQueueTimeoutError',
  'MongoPoolClearedError',
  'MongoTopologyClosedError',
]);

/** True when the database could not be asked, or not in time: the same request may succeed later. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return isSocketError(error);
  return (
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNetworkError ||
    error.hasErrorLabel(MongoErrorLabel.RetryableWriteError) ||
    transientNames.has(error.name)
  );
}
