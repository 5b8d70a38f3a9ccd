import { byId } from './by-index.js';
import { type CollectionKey, type Collections, openCollections } from './collections.js';
import { hasServerCode } from './driver-error.js';
import { findForeignDocuments } from './find-foreign-documents.js';
import { ours } from './ours.js';

/** In which something would be missed: all else is made again, or has its time. */
const missed: readonly CollectionKey[] = ['jobs', 'scheduler', 'queues'];

/** A collection of ours holds nothing else; one of somebody else may have millions of documents. */
const LOOKED_AT = 100;

/** What a server says to who may not read a collection. */
const UNAUTHORIZED = 13;

/** What a version before there was a prefix left behind. */
export interface LeftBehind {
  /** The collections that hold it. */
  readonly names: readonly string[];
  /** Whether these collections, or others of such names, hold documents of somebody else too. */
  readonly isBesideForeign: boolean;
}

/**
 * The collections of the names that ours had before there was a prefix, if they hold documents of ours, and those of the
 * same kind that have a prefix hold none: as it is after an upgrade. Undefined when there are none, or when nothing but one
 * of these collections looks like ours: each of our versions has written jobs, or what kinds of them there are.
 */
export async function findLeftBehind(collections: Collections): Promise<LeftBehind | undefined> {
  const former = openCollections(collections.client.db(collections.jobs.dbName), '');
  if (former.jobs.collectionName === collections.jobs.collectionName) return undefined;
  if (!(await holdsOurs(former, 'jobs')) && !(await holdsOurs(former, 'jobFactories'))) return undefined;
  const looks = missed.map(async (key) => {
    if (!(await holdsOurs(former, key)) || (await holdsAny(collections, key))) return [];
    return [former[key].collectionName];
  });
  const names = (await Promise.all(looks)).flat();
  if (names.length === 0) return undefined;
  return { names, isBesideForeign: (await findForeignDocuments(former)).length > 0 };
}

/** Tells who upgraded what to do: not to work on collections that are an application's too. */
export function leftBehindText({ names, isBesideForeign }: LeftBehind, { jobs }: Collections): string {
  const prefix = jobs.collectionName.slice(0, -'jobs'.length);
  const remedy = isBesideForeign
    ? `There are documents of somebody else beside them: move those that are of Remote Processor, and no others, to the collections with the prefix, if they are still needed`
    : 'To go on with them set COLLECTION_PREFIX (collectionPrefix) to the empty text, or rename the collections: see CHANGELOG.md';
  return `${names.join(', ')}: there are documents of an earlier version, which are not seen by the prefix '${prefix}'. ${remedy}`;
}

async function holdsOurs(former: Collections, key: CollectionKey): Promise<boolean> {
  const stages = [{ $limit: LOOKED_AT }, { $match: ours[key] }, { $limit: 1 }, { $project: { _id: 1 } }];
  try {
    return (await former[key].aggregate(stages).toArray()).length > 0;
  } catch (error) {
    if (hasServerCode(error, UNAUTHORIZED)) return false;
    throw error;
  }
}

async function holdsAny(collections: Collections, key: CollectionKey): Promise<boolean> {
  return (await collections[key].findOne({}, { projection: { _id: 1 }, ...byId })) !== null;
}
