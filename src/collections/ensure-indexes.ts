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

/** MongoDB's error codes. */
const INDEX_NOT_FOUND = 27;
const INDEX_OPTIONS_CONFLICT = 85;
const INDEX_KEY_SPECS_CONFLICT = 86;

/**
 * Time limit for waiting for a lock, and the pause before the next try. While we wait, all other operations on the collection
 * queue behind us.
 */
const LOCK_WAIT_MS = 1_000;
const BETWEEN_MS = 3_000;

/**
 * Time limit for scanning a collection for foreign documents. In a large collection, the documents after that are not checked.
 */
const SCAN_MS = 5_000;

/**
 * Makes missing indexes, makes jobs of earlier versions claimable, and drops the indexes of earlier versions. Call it at
 * deployment (`npm run ensure-indexes`), not in a cold start. Does nothing if a collection belongs to another application.
 *
 * Safe beside open transactions. Building or dropping an index briefly needs exclusive access to the collection. It may have to
 * wait for a transaction to end, and everything else waits behind it. So each wait has a limit.
 *
 * @throws ForeignDocumentsError if a collection holds foreign documents. Nothing is made or dropped then
 * @throws DuplicateValueError if values that must be unique occur twice. All other indexes are made
 * @throws IndexConflictError if another index has the name or the keys of a needed one
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
  // An empty collection of another application may have such an index, too.
  if (!before.some((index) => everyVersions.some((one) => isSameIndex(index, one)))) return;
  for (const { described, collection } of all)
    await dropIndexes(collection, described.formerIndexes, onProgress);
}

type Tell = (progress: IndexProgress) => void;

/** Makes all indexes that are not unique together, in one scan. Makes each unique index alone, because it may fail. */
async function makeMissing(
  client: MongoClient,
  collection: Collection,
  wanted: readonly IndexDescription[],
  tell: Tell,
): Promise<DuplicateValues[]> {
  const there = new Set((await findIndexes(collection)).map(({ name }) => name));
  const missing = wanted.filter(({ name = '' }) => !there.has(name));
  // Includes existing indexes, because the server refuses one with the same name but other keys or options.
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

/** Throws an error with the names of the conflicting indexes: another index has their name or their keys. */
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

/** How often progress is reported while an index is built. */
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
      // Some servers put the values only in the message.
      values: JSON.stringify(error.keyValue ?? error.message),
    };
  } finally {
    clearInterval(timer);
  }
}

/**
 * Waits until no transaction holds the collection. `collMod` needs the same lock as building an index, and changes nothing
 * without options. Skips the wait if the user may not run `collMod`.
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

/** Drops indexes that exist exactly as described. A different index with the same name belongs to somebody else. */
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
