import { ForeignDocumentsError } from '../errors.js';
import { jobExpiry } from '../job/indexes.js';
import { DEFAULT_COLLECTION_PREFIX } from '../mongo/collection-prefix.js';
import { ELECTION_MS } from '../mongo/election.js';
import { findIndexes } from '../mongo/find-indexes.js';
import { OncePerName } from '../mongo/once-per-name.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { isSameIndex } from '../mongo/same-index.js';
import type { Collections } from './collections.js';
import { findForeignDocuments } from './find-foreign-documents.js';

/** The collections that are known to be ours. */
const ours = new OncePerName();

/**
 * Checks that the collections are ours before they are used, because an application may use some of the same names. Skips the
 * check with the default prefix, which no application uses.
 *
 * Costs one command per client and collection. The command looks for an index that `ensureIndexes` makes after it has checked
 * all documents. If that index is missing, some documents are checked here, at a limited cost.
 *
 * The result is kept, even for an empty collection, because repeated checks would cost every process commands. So foreign
 * documents that are written later go unnoticed. They are safe: statements that change or remove documents require our fields,
 * and `ensureIndexes` checks again each time.
 *
 * @throws ForeignDocumentsError on every call
 */
export async function requireOurs(collections: Collections): Promise<void> {
  const { client, prefix, jobs } = collections;
  if (prefix === DEFAULT_COLLECTION_PREFIX) return; // No application uses this name.
  await ours.ask(client, jobs.namespace, () => retryWhileUnreachable(ELECTION_MS, () => look(collections)));
}

async function look(collections: Collections): Promise<void> {
  const indexes = await findIndexes(collections.jobs);
  if (indexes.some((index) => isSameIndex(index, jobExpiry))) return;
  const foreign = await findForeignDocuments(collections);
  if (foreign.length > 0) throw new ForeignDocumentsError(foreign);
}
