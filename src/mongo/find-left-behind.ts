import { byId } from './by-index.js';
import { type CollectionKey, type Collections, openCollections } from './collections.js';
import { hasServerCode } from './driver-error.js';
import { ours } from './ours.js';

/** In which something would be missed: all else is made again, or has its time. */
const missed: readonly CollectionKey[] = ['jobs', 'scheduler', 'queues'];

/** A collection of ours holds nothing else; one of somebody else may have millions of documents. */
const LOOKED_AT = 100;

/** What a server says to who may not read a collection. */
const UNAUTHORIZED = 13;

/**
 * The collections of the names that ours had before there was a prefix, if they hold documents of ours, and those of the
 * same kind that have a prefix hold none: as it is after an upgrade.
 */
export async function findLeftBehind(collections: Collections): Promise<readonly string[]> {
  const former = openCollections(collections.client.db(collections.jobs.dbName), '');
  if (former.jobs.collectionName === collections.jobs.collectionName) return [];
  const looks = missed.map(async (key) => {
    if (!(await holdsOurs(former, key)) || (await holdsAny(collections, key))) return [];
    return [former[key].collectionName];
  });
  return (await Promise.all(looks)).flat();
}

/** Tells who upgraded what to do. @param names as `findLeftBehind` gives them */
export function leftBehindText(names: readonly string[], { jobs }: Collections): string {
  const prefix = jobs.collectionName.slice(0, -'jobs'.length);
  return `${names.join(', ')}: there are documents of an earlier version, which are not seen by the prefix '${prefix}'. To go on with them set COLLECTION_PREFIX (collectionPrefix) to the empty text, or rename the collections: see CHANGELOG.md`;
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
