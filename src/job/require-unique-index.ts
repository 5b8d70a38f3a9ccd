import type { Collection, Document } from 'mongodb';
import { IndexMissingError } from '../errors.js';
import { findIndexes } from '../mongo/find-indexes.js';
import { OncePerName } from '../mongo/once-per-name.js';
import { isSameIndex } from '../mongo/same-index.js';
import { slotIndex, uniqueKeyIndex } from './indexes.js';
import type { JobDocument } from './job.js';
import type { JobCollections } from './jobs-collection.js';

/** Indexes that have been seen, by collection and name. */
const seen = new OncePerName();

/**
 * Makes sure that the index of unique keys exists. Without it, two adds at the same moment would both write a job.
 * Costs one command per client and collection, and nothing once the index has been seen.
 *
 * @param areUsed returns whether unique keys matter. Not called once the index has been seen. Default: they do
 * @throws IndexMissingError on every call until the index exists
 */
export async function requireUniqueKeys(
  collections: JobCollections,
  areUsed: () => Promise<boolean> = async () => true,
): Promise<void> {
  if (!wasAsked(collections, uniqueKeyIndex) && !(await areUsed())) return;
  await requireIndex(collections, uniqueKeyIndex, 'unique keys of');
}

/**
 * Makes sure that the index of places in limits exists. Without it, two jobs could hold the same place. Costs as much as
 * `requireUniqueKeys`.
 *
 * @throws IndexMissingError on every call until the index exists
 */
export async function requireUniqueSlots(collections: JobCollections): Promise<void> {
  await requireIndex(collections, slotIndex, 'places in limits of');
}

type UniqueIndex = typeof slotIndex | typeof uniqueKeyIndex;

function wasAsked({ client, jobs }: JobCollections, { name }: UniqueIndex): boolean {
  return seen.wasAsked(client, `${jobs.namespace} ${name}`);
}

async function requireIndex(
  { client, jobs }: JobCollections,
  index: UniqueIndex,
  whose: string,
): Promise<void> {
  await seen.ask(client, `${jobs.namespace} ${index.name}`, () => findIndex(jobs, index, whose));
}

async function findIndex(jobs: Collection<JobDocument>, wanted: UniqueIndex, whose: string): Promise<void> {
  const indexes: Document[] = await findIndexes(jobs);
  if (indexes.some((index) => isSameIndex({ key: {}, ...index }, wanted))) return;
  throw new IndexMissingError(
    undefined,
    `Nothing was done: ${whose} '${jobs.collectionName}' would not be unique without their index`,
  );
}
