import type { Collection, Document, FindOptions } from 'mongodb';
import { isKind } from '../brand.js';
import { type ForeignDocument, ReadTimeoutError } from '../errors.js';
import { byJobName } from '../job/indexes.js';
import { jobsCollection } from '../job/jobs-collection.js';
import { BEGINNING_OF_TIME } from '../mongo/any-moment.js';
import { byOptionalIndex, idIndex } from '../mongo/by-index.js';
import { moment } from '../mongo/collection-description.js';
import { type Collections, type DescribedCollection, describedCollections } from './collections.js';

/** How many documents to check at each end of a collection, in natural order. */
const LOOKED_AT = 1000;

/**
 * Bounds that find ids of other types. MongoDB sorts values by type first. So other types lie before or after all texts, or
 * before all dates.
 */
const notTexts = [{ max: { _id: '' } }, { min: { _id: {} } }];
const notTimes = [{ max: { _id: BEGINNING_OF_TIME } }];

/**
 * Looks for foreign documents in our collections, and returns one from each collection that has some.
 *
 * The cost does not grow with the collections. The index on `_id` finds every document whose `_id` has another type than ours.
 * The index on `jobName` finds every document without a `jobName`. Other foreign documents are found among the first 1,000
 * written and the last 1,000. Those of an older application are among the first.
 *
 * @param scanMs how long to also scan each collection from its beginning. Default: no scan
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

/** Scans the collection for a limited time. Documents after that are not checked. */
async function scan(collection: Collection, isForeign: Document, maxTimeMS: number): Promise<Found | null> {
  try {
    const options = { projection: idAlone, hint: { $natural: 1 }, maxTimeMS };
    return await collection.findOne(isForeign, options);
  } catch (error) {
    if (isKind(error, ReadTimeoutError)) return null;
    throw error;
  }
}

/**
 * Finds a document without `jobName`. Uses the index on `jobName`, and reads only the document found. Returns null without that
 * index.
 */
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
