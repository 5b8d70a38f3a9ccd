import type { Document, FindOptions } from 'mongodb';
import { isKind } from '../brand.js';
import { type ForeignDocument, ReadTimeoutError } from '../errors.js';
import { BEGINNING_OF_TIME } from './any-moment.js';
import { byOptionalIndex, idIndex } from './by-index.js';
import { type CollectionKey, type Collections, collectionKeys } from './collections.js';
import { byJobName } from './indexes.js';
import { ours } from './ours.js';

/** From each end of a collection, in the order in which its documents were written. */
const LOOKED_AT = 1000;

/** MongoDB sorts values by their types first: what comes before all texts, and after them; and before all times. */
const notTexts = [{ max: { _id: '' } }, { min: { _id: {} } }];
const notTimes = [{ max: { _id: BEGINNING_OF_TIME } }];

/**
 * Looks for documents in the collections that are not ours, and gives one of each collection that has some.
 *
 * What it costs does not grow with the collections. By the index on `_id` it finds every document whose `_id` is of another
 * type than ours, and by that on `jobName` every one that has none; others among the 1,000 that were written first, where an
 * application's are that was there before us, and among the 1,000 written last.
 *
 * @param scanMs for so long it then reads each collection from its beginning on, all of it if that is enough. Default: not
 */
export async function findForeignDocuments(
  collections: Collections,
  scanMs = 0,
): Promise<readonly ForeignDocument[]> {
  const db = collections.client.db(collections.jobs.dbName);
  const there = await db.listCollections({}, { nameOnly: true, authorizedCollections: true }).toArray();
  const names = new Set(there.map(({ name }) => name));
  const looks = collectionKeys
    .filter((key) => names.has(collections[key].collectionName))
    .map((key) => findForeign(collections, key, scanMs));
  return (await Promise.all(looks)).filter((found) => found !== undefined);
}

async function findForeign(
  collections: Collections,
  key: CollectionKey,
  scanMs: number,
): Promise<ForeignDocument | undefined> {
  const otherTypes = key === 'statistics' ? notTimes : notTexts;
  const looks = [
    ...otherTypes.map((ends) => () => findById(collections, key, ends)),
    () => lookFrom(collections, key, { $natural: 1 }),
    () => lookFrom(collections, key, { $natural: -1 }),
    ...(key === 'jobs' ? [() => findWithoutName(collections)] : []),
    ...(scanMs > 0 ? [() => scan(collections, key, scanMs)] : []),
  ];
  for (const look of looks) {
    const found = await look();
    if (found) return { collection: collections[key].collectionName, id: found._id };
  }
  return undefined;
}

interface Found {
  readonly _id: unknown;
}

const idAlone = { _id: 1 };

async function findById(
  collections: Collections,
  key: CollectionKey,
  ends: Pick<FindOptions, 'min' | 'max'>,
): Promise<Found | null> {
  return collections[key].findOne({}, { projection: idAlone, hint: idIndex.key, ...ends });
}

async function lookFrom(
  collections: Collections,
  key: CollectionKey,
  hint: Document,
): Promise<Found | undefined> {
  const stages = [{ $limit: LOOKED_AT }, { $match: isForeign(key) }, { $limit: 1 }, { $project: idAlone }];
  const [found] = await collections[key].aggregate<Found>(stages, { hint }).toArray();
  return found;
}

/** Of a collection that takes longer the rest is not seen. */
async function scan(collections: Collections, key: CollectionKey, maxTimeMS: number): Promise<Found | null> {
  try {
    const options = { projection: idAlone, hint: { $natural: 1 }, maxTimeMS };
    return await collections[key].findOne(isForeign(key), options);
  } catch (error) {
    if (isKind(error, ReadTimeoutError)) return null;
    throw error;
  }
}

function isForeign(key: CollectionKey): Document {
  return { $nor: [ours[key]] };
}

/** By the index on it, where that is there: it costs as much as is found. */
async function findWithoutName({ jobs }: Collections): Promise<Found | null> {
  const find = (options: FindOptions) =>
    jobs.findOne({ jobName: { $exists: false } }, { projection: idAlone, ...options });
  return byOptionalIndex(
    jobs,
    byJobName,
    () => find({ hint: byJobName.key }),
    async () => null,
  );
}
