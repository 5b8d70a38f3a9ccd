import type { Collection, Document, FindOptions } from 'mongodb';
import { isKind } from '../brand.js';
import { type ForeignDocument, ReadTimeoutError } from '../errors.js';
import { byJobName } from '../job/indexes.js';
import { jobsCollection } from '../job/jobs-collection.js';
import { BEGINNING_OF_TIME } from '../mongo/any-moment.js';
import { byOptionalIndex, idIndex } from '../mongo/by-index.js';
import { moment } from '../mongo/collection-description.js';
import { type Collections, type DescribedCollection, describedCollections } from './collections.js';

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
  const looks = describedCollections(collections)
    .filter(({ collection }) => names.has(collection.collectionName))
    .map((described) => findForeign(described, scanMs));
  return (await Promise.all(looks)).filter((found) => found !== undefined);
}

async function findForeign(
  { described, collection }: DescribedCollection,
  scanMs: number,
): Promise<ForeignDocument | undefined> {
  const isForeign = { $nor: [described.ours] };
  const otherTypes = described.ours._id === moment ? notTimes : notTexts;
  const looks = [
    ...otherTypes.map((ends) => () => findById(collection, ends)),
    () => lookFrom(collection, isForeign, { $natural: 1 }),
    () => lookFrom(collection, isForeign, { $natural: -1 }),
    ...(described === jobsCollection ? [() => findWithoutName(collection)] : []),
    ...(scanMs > 0 ? [() => scan(collection, isForeign, scanMs)] : []),
  ];
  for (const look of looks) {
    const found = await look();
    if (found) return { collection: collection.collectionName, id: found._id };
  }
  return undefined;
}

interface Found {
  readonly _id: unknown;
}

const idAlone = { _id: 1 };

async function findById(
  collection: Collection,
  ends: Pick<FindOptions, 'min' | 'max'>,
): Promise<Found | null> {
  return collection.findOne({}, { projection: idAlone, hint: idIndex.key, ...ends });
}

async function lookFrom(
  collection: Collection,
  isForeign: Document,
  hint: Document,
): Promise<Found | undefined> {
  const stages = [{ $limit: LOOKED_AT }, { $match: isForeign }, { $limit: 1 }, { $project: idAlone }];
  const [found] = await collection.aggregate<Found>(stages, { hint }).toArray();
  return found;
}

/** Of a collection that takes longer the rest is not seen. */
async function scan(collection: Collection, isForeign: Document, maxTimeMS: number): Promise<Found | null> {
  try {
    const options = { projection: idAlone, hint: { $natural: 1 }, maxTimeMS };
    return await collection.findOne(isForeign, options);
  } catch (error) {
    if (isKind(error, ReadTimeoutError)) return null;
    throw error;
  }
}

/** By the index on it, where that is there: it costs as much as is found. */
async function findWithoutName(jobs: Collection): Promise<Found | null> {
  const find = (options: FindOptions) =>
    jobs.findOne({ jobName: { $exists: false } }, { projection: idAlone, ...options });
  return byOptionalIndex(
    jobs,
    byJobName,
    () => find({ hint: byJobName.key }),
    async () => null,
  );
}
