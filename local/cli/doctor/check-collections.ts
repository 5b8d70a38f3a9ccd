import type { Collections } from '../../../src/collections/collections.js';
import { findForeignDocuments } from '../../../src/collections/find-foreign-documents.js';
import { findLeftBehind, leftBehindText } from '../../../src/collections/find-left-behind.js';
import { ForeignDocumentsError } from '../../../src/errors.js';
import { examine, type Finding, failure, ok, warning } from './finding.js';

const CHECK = 'collections';

/** The time limit for searching one collection for foreign documents. */
const SCAN_MS = 2_000;

/**
 * Checks that no other program uses the collections, and that an earlier version left nothing in collections without a
 * prefix.
 */
export async function checkCollections(collections: Collections): Promise<readonly Finding[]> {
  return examine(CHECK, 'Check that the user of MONGODB_URI may read the database', async () => {
    const foreign = await findForeignDocuments(collections, SCAN_MS);
    const leftBehind = await findLeftBehind(collections);
    if (foreign.length === 0 && !leftBehind)
      return ok(CHECK, 'they hold no documents of another application');
    return [
      ...(foreign.length > 0 ? [finding(failure, new ForeignDocumentsError(foreign).message)] : []),
      ...(leftBehind ? [finding(warning, leftBehindText(leftBehind, collections))] : []),
    ];
  });
}

/** Makes a finding from a text whose last sentence is the remedy. */
function finding(make: typeof failure, text: string): Finding {
  const end = text.lastIndexOf('. ');
  return make(CHECK, text.slice(0, end), text.slice(end + 2));
}
