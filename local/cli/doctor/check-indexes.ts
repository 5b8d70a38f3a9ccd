import type { Collections } from '../../../src/collections/collections.js';
import { findWrongIndexes } from '../../../src/collections/find-wrong-indexes.js';
import { examine, type Finding, failure, INDEXES_FIX, ok } from './finding.js';

/** Checks that the indexes of this version exist. */
export async function checkIndexes(collections: Collections): Promise<readonly Finding[]> {
  return examine('indexes', INDEXES_FIX, async () => {
    const { missing, different } = await findWrongIndexes(collections);
    if (missing.length === 0 && different.length === 0) return ok('indexes', 'all are there');
    return [
      ...(missing.length > 0 ? [failure('indexes', `missing: ${missing.join(', ')}`, INDEXES_FIX)] : []),
      ...(different.length > 0
        ? [
            failure(
              'indexes',
              `of another version: ${different.join(', ')}`,
              `Drop them, then: ${INDEXES_FIX}`,
            ),
          ]
        : []),
    ];
  });
}
