import { connectedCollections, type WithCollections } from '../../src/collections/connected-collections.js';
import { findWrongIndexes } from '../../src/collections/find-wrong-indexes.js';
import { IndexMissingError, type RemoteProcessor } from '../../src/index.js';
import { rememberedFor } from '../remembered-for.js';

/** How long the list of indexes is trusted. Anyone may ask for the health, so that must cost the database little. */
const INDEXES_TRUSTED_MS = 5_000;

/**
 * Returns a check that the database answers and has the indexes of this version.
 *
 * @throws IndexMissingError, and the driver's errors
 */
export function readinessOf(processor: RemoteProcessor & WithCollections): () => Promise<void> {
  const indexes = rememberedFor(INDEXES_TRUSTED_MS, async () =>
    findWrongIndexes(await processor[connectedCollections]()),
  );
  return async () => {
    await processor.getJob('health'); // The cheapest check. Reads at most one document.
    const { missing, different } = await indexes();
    if (missing.length > 0 || different.length > 0) throw new IndexMissingError();
  };
}
