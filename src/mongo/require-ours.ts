import { ForeignDocumentsError } from '../errors.js';
import { DEFAULT_COLLECTION_PREFIX } from './collection-prefix.js';
import { type Collections, collectionNamesOf } from './collections.js';
import { ELECTION_MS } from './election.js';
import { findForeignDocuments } from './find-foreign-documents.js';
import { findIndexes } from './find-indexes.js';
import { isSameIndex } from './find-wrong-indexes.js';
import { jobExpiry } from './indexes.js';
import { OncePerName } from './once-per-name.js';
import { retryWhileUnreachable } from './retry-while-unreachable.js';

/** Of which collections it was found that they are ours. */
const ours = new OncePerName();

/** No application calls a collection so. */
const namedForUs = collectionNamesOf(DEFAULT_COLLECTION_PREFIX).jobs;

/**
 * Makes sure that collections are ours before anything is asked of them: an application may have some of the same names.
 * With the prefix that we have by default it does nothing, for that is our own name.
 *
 * It costs one command for each client and collection, which tells whether `ensureIndexes` was there: it makes the index
 * that is looked for only once it has looked through all documents. Where it was not, the documents are looked at, as far
 * as that is quick.
 *
 * Asked once: who writes documents of his own into our collections later is not noticed. Statements that change or remove
 * documents ask for fields of ours for that reason.
 *
 * @throws ForeignDocumentsError, each time anew
 */
export async function requireOurs(collections: Collections): Promise<void> {
  const { client, jobs } = collections;
  if (jobs.collectionName === namedForUs) return;
  await ours.ask(client, jobs.namespace, () => retryWhileUnreachable(ELECTION_MS, () => look(collections)));
}

async function look(collections: Collections): Promise<void> {
  const indexes = await findIndexes(collections.jobs);
  if (indexes.some((index) => isSameIndex(index, jobExpiry))) return;
  const foreign = await findForeignDocuments(collections);
  if (foreign.length > 0) throw new ForeignDocumentsError(foreign);
}
