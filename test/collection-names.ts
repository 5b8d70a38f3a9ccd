import { DEFAULT_COLLECTION_PREFIX } from '../src/mongo/collection-prefix.js';
import { collectionNamesOf } from '../src/mongo/collections.js';

/** What the collections are called of a processor that was not told a prefix. */
export const collectionNames = collectionNamesOf(DEFAULT_COLLECTION_PREFIX);
