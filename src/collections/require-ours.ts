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

/** Of which collections it was found that they are ours. */
const ours = new OncePerName();

/**
 * Makes sure that collections are ours before anything is asked of them: an application may have some of the same names.
 * With the prefix that we have by default it does nothing, for that is our own name.
 *
 * It costs one command for each client and collection, which tells whether `ensureIndexes` was there: it makes the index
 * that is looked for only once it has looked through all documents. Where it was not, the documents are looked at, as far
 * as that is quick.
 *
 * Asked once, also where the answer was an empty collection without our indexes: who writes documents of his own into it later
 * is not noticed, and to ask again would cost each process commands for ever. That harms nothing of his: statements that change
 * or remove documents ask for fields of ours, and `ensureIndexes` looks anew each time, before it makes or drops anything.
 *
 * @throws ForeignDocumentsError, each time anew
 */
export async function requireOurs(collections: Collections): Promise<void> {
  const { client, prefix, jobs } = collections;
  if (prefix === DEFAULT_COLLECTION_PREFIX) return; // No application calls a collection so.
  await ours.ask(client, jobs.namespace, () => retryWhileUnreachable(ELECTION_MS, () => look(collections)));
}

async function look(collections: Collections): Promise<void> {
  const indexes = await findIndexes(collections.jobs);
  if (indexes.some((index) => isSameIndex(index, jobExpiry))) return;
  const foreign = await findForeignDocuments(collections);
  if (foreign.length > 0) throw new ForeignDocumentsError(foreign);
}
