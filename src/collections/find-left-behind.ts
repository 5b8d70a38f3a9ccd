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

/** In which something would be missed: all else is made again, or has its time. */
const missed = [jobsCollection, schedulerCollection, queuesCollection];

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

/** Tells who upgraded what to do: not to work on collections that are an application's too. */
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
