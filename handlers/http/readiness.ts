import { connectedCollections, type WithCollections } from '../../src/collections/connected-collections.js';
import { findWrongIndexes } from '../../src/collections/find-wrong-indexes.js';
import { IndexMissingError, type RemoteProcessor } from '../../src/index.js';
import { withinTime } from '../../src/mongo/within-time.js';
import { rememberedFor } from '../remembered-for.js';

/**
 * How long the list of indexes is trusted, in milliseconds. Anyone may ask for the health, so each request must cost
 * the database little.
 */
const INDEXES_TRUSTED_MS = 5_000;

/**
 * How long the database may take, in milliseconds. Load balancers, Kubernetes and Docker wait only some seconds for an
 * answer.
 */
const PATIENCE_MS = 4_000;

/**
 * Returns a check that the database answers within 4 seconds, and has the indexes of this version.
 *
 * @param ready awaited first, within the same 4 seconds. Default: nothing
 * @throws IndexMissingError, NoAnswer, the driver's errors, and those of `ready`
 */
export function readinessOf(
  processor: RemoteProcessor & WithCollections,
  ready: () => Promise<void> = async () => {},
): () => Promise<void> {
  const indexes = rememberedFor(INDEXES_TRUSTED_MS, async () =>
    findWrongIndexes(await processor[connectedCollections]()),
  );
  const check = async () => {
    await ready();
    await processor.getJob('health'); // The cheapest check. Reads at most one document.
    const { missing, different } = await indexes();
    if (missing.length > 0 || different.length > 0) throw new IndexMissingError();
  };
  return () => withinTime(PATIENCE_MS, check());
}
