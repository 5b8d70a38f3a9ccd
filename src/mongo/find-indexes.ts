import type { Collection, IndexDescription } from 'mongodb';
import { hasServerCode } from './driver-error.js';

/** MongoDB's code for a collection that is not there yet. */
const NAMESPACE_NOT_FOUND = 26;

/** The indexes that a collection has; none when it is not there. */
export async function findIndexes(collection: Pick<Collection, 'listIndexes'>): Promise<IndexDescription[]> {
  try {
    return await collection.listIndexes().toArray();
  } catch (error) {
    if (hasServerCode(error, NAMESPACE_NOT_FOUND)) return [];
    throw error;
  }
}
