import type { Db } from 'mongodb';
import { jobFactoriesCollection } from '../job/factory-document.js';
import { jobsCollection } from '../job/jobs-collection.js';
import { byId } from '../mongo/by-index.js';
import type { CollectionDescription } from '../mongo/collection-description.js';
import { hasServerCode } from '../mongo/driver-error.js';
import { openCollection } from '../mongo/open-collection.js';
import { queuesCollection } from '../queue/queue-document.js';
import { schedulerCollection } from '../scheduler/scheduler-collection.js';
import { type Collections, openCollections } from './collections.js';
import { findForeignDocuments } from './find-foreign-documents.js';

/** The collections whose documents would be missed. The others are filled again, or their documents expire. */
const missed = [jobsCollection, schedulerCollection, queuesCollection];

/** How many documents to check. Our own collections need no more, but a foreign one may have millions. */
const LOOKED_AT = 100;

/** The server's code if the user may not read a collection. */
const UNAUTHORIZED = 13;

/** Documents that an earlier version, without prefixes, left behind. */
export interface LeftBehind {
  /** The collections that hold such documents. */
  readonly names: readonly string[];
  /** Whether an unprefixed collection with one of our names also holds foreign documents. */
  readonly isBesideForeign: boolean;
}

/**
 * Finds collections that an upgrade left behind: they have no prefix, they hold our documents, and the prefixed collections are
 * empty. Returns undefined if there are none. Every earlier version wrote `jobs` or `jobFactories`. So it also returns
 * undefined if neither holds documents of ours.
 */
export async function findLeftBehind(collections: Collections): Promise<LeftBehind | undefined> {
  const { client, prefix, jobs } = collections;
  if (prefix === '') return undefined;
  const db = client.db(jobs.dbName);
  if (!(await holdsOurs(db, jobsCollection)) && !(await holdsOurs(db, jobFactoriesCollection)))
    return undefined;
  const looks = missed.map(async (described) => {
    if (!(await holdsOurs(db, described)) || (await holdsAny(db, `${prefix}${described.name}`))) return [];
    return [described.name];
  });
  const names = (await Promise.all(looks)).flat();
  if (names.length === 0) return undefined;
  return { names, isBesideForeign: (await findForeignDocuments(openCollections(db, ''))).length > 0 };
}

/**
 * Tells the operator what to do after an upgrade. Never suggests working on collections that hold foreign documents.
 */
export function leftBehindText({ names, isBesideForeign }: LeftBehind, { prefix }: Collections): string {
  const remedy = isBesideForeign
    ? `There are documents of somebody else beside them: move those that are of Remote Processor, and no others, to the collections with the prefix, if they are still needed`
    : 'To go on with them set COLLECTION_PREFIX (collectionPrefix) to the empty text, or rename the collections: see CHANGELOG.md';
  return `${names.join(', ')}: there are documents of an earlier version, which are not seen by the prefix '${prefix}'. ${remedy}`;
}

async function holdsOurs(db: Db, { name, ours }: CollectionDescription): Promise<boolean> {
  const stages = [{ $limit: LOOKED_AT }, { $match: ours }, { $limit: 1 }, { $project: { _id: 1 } }];
  try {
    return (await openCollection(db, name).aggregate(stages).toArray()).length > 0;
  } catch (error) {
    if (hasServerCode(error, UNAUTHORIZED)) return false;
    throw error;
  }
}

async function holdsAny(db: Db, name: string): Promise<boolean> {
  return (await openCollection(db, name).findOne({}, { projection: { _id: 1 }, ...byId })) !== null;
}
