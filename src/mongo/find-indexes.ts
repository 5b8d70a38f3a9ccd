import type { Collection, IndexDescription } from 'mongodb';
import { hasServerCode } from './driver-error.js';

/** MongoDB's code for a collection that does not exist. */
const NAMESPACE_NOT_FOUND = 26;

/** Returns the indexes of a collection, or none if it does not exist. */
export async function findIndexes(collection: Pick<Collection, 'listIndexes'>): Promise<IndexDescription[]> {
  try {
    return await collection.listIndexes().toArray();
  } catch (error) {
    if (hasServerCode(error, NAMESPACE_NOT_FOUND)) return [];
    throw error;
  }
}
