import { setTimeout as wait } from 'node:timers/promises';
import type { Collection, IndexDescription, MongoClient } from 'mongodb';
import {
  DuplicateValueError,
  type DuplicateValues,
  ForeignDocumentsError,
  IndexConflictError,
} from '../errors.js';
import { byQueue, everyVersions } from '../job/indexes.js';
import { jobsCollection } from '../job/jobs-collection.js';
import { makeClaimable } from '../job/make-claimable.js';
import { hasServerCode, MAX_TIME_EXPIRED } from '../mongo/driver-error.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { findIndexes } from '../mongo/find-indexes.js';
import { isInPlaceOf, isSameIndex } from '../mongo/same-index.js';
import { type Collections, describedCollections } from './collections.js';
import { findForeignDocuments } from './find-foreign-documents.js';
import type { IndexOptions, IndexProgress } from './index-options.js';

/** MongoDB's codes. */
const INDEX_NOT_FOUND = 27;
const INDEX_OPTIONS_CONFLICT = 85;
const INDEX_KEY_SPECS_CONFLICT = 86;

/**
 * A lock that is waited for makes all that comes later wait behind it. For so long everything stands still at worst; then
 * it is left alone for `BETWEEN_MS`.
 */
const LOCK_WAIT_MS = 1_000;
const BETWEEN_MS = 3_000;

/** Of reading a collection for documents that are not ours. In one that takes longer, those it came to by then are seen. */
const SCAN_MS = 5_000;

/**
 * Makes the indexes that are missing, has claims see the jobs that an earlier version queued, and drops the indexes of
 * earlier versions, and no others. Part of a deployment
 * (`npm run ensure-indexes`), never of a cold start. In collections of somebody else it does nothing.
 *
 * Safe beside open transactions: to build or drop an index needs a collection for itself for a moment, and while it waits
 * for a transaction to end, everything else waits behind it. So that moment is asked for with a limit.
 *
 * @throws ForeignDocumentsError when a collection holds documents that are not ours: nothing is made or dropped then;
 *   DuplicateValueError when values that are to be unique are there twice; all other indexes are made then.
 *   IndexConflictError when an index that is needed has another one of its name, or its keys, in its place
 */
export async function ensureIndexes(
  collections: Collections,
  { byQueue: isByQueue, onProgress = () => {} }: IndexOptions = {},
): Promise<void> {
  const foreign = await findForeignDocuments(collections, SCAN_MS);
  if (foreign.length > 0) throw new ForeignDocumentsError(foreign);
  const duplicates: DuplicateValues[] = [];
  const { client, jobs } = collections;
  const before = await findIndexes(jobs);
  const all = describedCollections(collections);
  for (const { described, collection } of all) {
    if (described.indexes.length === 0) continue;
    const { indexes } = described;
    const wanted = described === jobsCollection && isByQueue ? [...indexes, byQueue] : indexes;
    const making = makeMissing(client, collection, wanted, onProgress);
    duplicates.push(...(await making.catch((error) => explainConflict(collection, wanted, error))));
  }
  if (duplicates.length > 0) throw new DuplicateValueError(duplicates);
  await makeClaimable(jobs);
  if (isByQueue === false) await dropIndexes(jobs, [byQueue], onProgress);
  // In an empty collection of an application there may be such an index, too.
  if (!before.some((index) => everyVersions.some((one) => isSameIndex(index, one)))) return;
  for (const { described, collection } of all)
    await dropIndexes(collection, described.formerIndexes, onProgress);
}

type Tell = (progress: IndexProgress) => void;

/** Those that are not unique together, by one scan; each that is unique on its own, for it may fail. */
async function makeMissing(
  client: MongoClient,
  collection: Collection,
  wanted: readonly IndexDescription[],
  tell: Tell,
): Promise<DuplicateValues[]> {
  const there = new Set((await findIndexes(collection)).map(({ name }) => name));
  const missing = wanted.filter(({ name = '' }) => !there.has(name));
  // What is there is asked for too: the server refuses one that has this name, and other keys or options.
  const [first = [], ...unique] = [
    wanted.filter(({ unique, name = '' }) => !unique || there.has(name)),
    ...missing.filter((index) => index.unique).map((index) => [index]),
  ];
  const duplicates: DuplicateValues[] = [];
  for (const indexes of [first, ...unique]) {
    if (indexes.length === 0) continue;
    const isNew = indexes.some((index) => missing.includes(index));
    const names = indexes.filter((index) => missing.includes(index)).map(({ name = '' }) => name);
    const failed = isNew
      ? await build(client, collection, indexes, names, tell)
      : await create(collection, indexes, () => {});
    if (failed) duplicates.push(failed);
  }
  return duplicates;
}

/** Names those that have another one in their place. */
async function explainConflict(
  collection: Collection,
  wanted: readonly IndexDescription[],
  error: unknown,
): Promise<never> {
  if (!hasServerCode(error, INDEX_OPTIONS_CONFLICT, INDEX_KEY_SPECS_CONFLICT)) throw error;
  const there = await findIndexes(collection);
  const conflicting = wanted.filter((index) => there.some((other) => isInPlaceOf(other, index)));
  const names = conflicting.map(({ name }) => `${collection.collectionName}.${name}`);
  throw new IndexConflictError(names, { cause: error });
}

async function build(
  client: MongoClient,
  collection: Collection,
  indexes: readonly IndexDescription[],
  names: readonly string[],
  tell: Tell,
): Promise<DuplicateValues | undefined> {
  const say = await teller(collection, names, tell);
  await untilNobodyHolds(client, collection, () => say('waiting'));
  say('building');
  const failed = await create(collection, indexes, () => say('building'));
  say(failed ? 'failed' : 'made');
  return failed;
}

/** How often somebody who watches is told that it goes on. */
const TOLD_EVERY_MS = 10_000;

async function create(
  collection: Collection,
  indexes: readonly IndexDescription[],
  goesOn: () => void,
): Promise<DuplicateValues | undefined> {
  const timer = setInterval(goesOn, TOLD_EVERY_MS);
  try {
    await collection.createIndexes([...indexes]);
    return undefined;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const [index] = indexes;
    return {
      index: `${collection.collectionName}.${index?.name}`,
      // Some servers tell it in the text alone.
      values: JSON.stringify(error.keyValue ?? error.message),
    };
  } finally {
    clearInterval(timer);
  }
}

/**
 * Waits until no transaction holds the collection: `collMod` needs it as the build of an index does. It names nothing
 * to change, for an index may be somebody else's. A user without the right to it goes on without the wait.
 */
async function untilNobodyHolds(
  client: MongoClient,
  collection: Collection,
  tell: () => void,
): Promise<void> {
  while (!(await isFree(client, collection))) {
    tell();
    await wait(BETWEEN_MS);
  }
}

async function isFree(client: MongoClient, collection: Collection): Promise<boolean> {
  try {
    await client.db(collection.dbName).command({
      collMod: collection.collectionName,
      maxTimeMS: LOCK_WAIT_MS,
    });
    return true;
  } catch (error) {
    return !hasServerCode(error, MAX_TIME_EXPIRED);
  }
}

type Indexed = Pick<Collection, 'collectionName' | 'listIndexes' | 'dropIndex' | 'estimatedDocumentCount'>;

/** Drops those that are there as they are described: another index of such a name is somebody else's. */
async function dropIndexes(
  collection: Indexed,
  unwanted: readonly IndexDescription[],
  tell: Tell,
): Promise<void> {
  const there = await findIndexes(collection);
  for (const index of unwanted) {
    const { name = '' } = index;
    if (there.some((one) => one.name === name && isSameIndex(one, index)))
      await dropIndex(collection, name, await teller(collection, [name], tell));
  }
}

async function dropIndex(
  collection: Indexed,
  name: string,
  say: (kind: IndexProgress['kind']) => void,
): Promise<void> {
  for (;;) {
    try {
      await collection.dropIndex(name, { maxTimeMS: LOCK_WAIT_MS });
      return say('dropped');
    } catch (error) {
      // Another deployment dropped it.
      if (hasServerCode(error, INDEX_NOT_FOUND)) return;
      if (!hasServerCode(error, MAX_TIME_EXPIRED)) throw error;
    }
    say('waiting');
    await wait(BETWEEN_MS);
  }
}

async function teller(
  collection: Pick<Collection, 'collectionName' | 'estimatedDocumentCount'>,
  indexes: readonly string[],
  tell: Tell,
): Promise<(kind: IndexProgress['kind']) => void> {
  const began = performance.now();
  const { collectionName } = collection;
  const documents = await collection.estimatedDocumentCount();
  return (kind) =>
    tell({
      kind,
      collection: collectionName,
      indexes,
      documents,
      elapsedMs: Math.round(performance.now() - began),
    });
}
