import type { Collection, Document } from 'mongodb';
import { IndexMissingError } from '../errors.js';
import { findIndexes } from '../mongo/find-indexes.js';
import { OncePerName } from '../mongo/once-per-name.js';
import { isSameIndex } from '../mongo/same-index.js';
import { uniqueKeyIndex } from './indexes.js';
import type { JobDocument } from './job.js';
import type { JobCollections } from './jobs-collection.js';

/** Of which collections the index was seen. */
const seen = new OncePerName();

/**
 * Makes sure that unique keys are unique: without their index two adds at the same moment both write a job. It costs one
 * command for each client and collection, and nothing once the index was seen.
 *
 * @param areUsed whether it matters; not asked once the index was seen. Default: it does
 * @throws IndexMissingError, each time anew
 */
export async function requireUniqueKeys(
  { client, jobs }: JobCollections,
  areUsed: () => Promise<boolean> = async () => true,
): Promise<void> {
  if (!seen.wasAsked(client, jobs.namespace) && !(await areUsed())) return;
  await seen.ask(client, jobs.namespace, () => findIndex(jobs));
}

async function findIndex(jobs: Collection<JobDocument>): Promise<void> {
  const indexes: Document[] = await findIndexes(jobs);
  if (indexes.some((index) => isSameIndex({ key: {}, ...index }, uniqueKeyIndex))) return;
  throw new IndexMissingError(
    undefined,
    `Nothing was done: unique keys of '${jobs.collectionName}' would not be unique without their index`,
  );
}
