import type { Collection, Document } from 'mongodb';
import { IndexMissingError } from '../errors.js';
import { findIndexes } from '../mongo/find-indexes.js';
import { OncePerName } from '../mongo/once-per-name.js';
import { isSameIndex } from '../mongo/same-index.js';
import { uniqueKeyIndex } from './indexes.js';
import type { JobDocument } from './job.js';
import type { JobCollections } from './jobs-collection.js';

/** Collections in which the index has been seen. */
const seen = new OncePerName();

/**
 * Makes sure that the index of unique keys exists. Without it, two adds at the same moment would both write a job.
 * Costs one command per client and collection, and nothing once the index has been seen.
 *
 * @param areUsed returns whether unique keys matter. Not called once the index has been seen. Default: they do
 * @throws IndexMissingError on every call until the index exists
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
