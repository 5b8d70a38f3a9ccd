import type { Collection, CollectionOptions, Db, Document, MongoClient } from 'mongodb';
import type { EndedSessionDocument } from '../access/ended-session-document.js';
import type { WrongKeyDocument } from '../access/wrong-key-document.js';
import type { IdempotencyKeyDocument } from '../idempotency/key-document.js';
import type { JobFactoryDocument } from '../job/factory-document.js';
import type { JobDocument } from '../job/job.js';
import type { QueueDocument } from '../queue/queue-document.js';
import type { SchedulerItemDocument } from '../scheduler/item.js';
import type { StatisticsDocument } from '../statistics/statistics-document.js';
import type { WorkerDocument } from '../worker/worker-document.js';
import { driverOf } from './driver-of.js';
import { inTheirBson } from './in-their-bson.js';
import { limitReads } from './limit-reads.js';

/** The collections that make up one remote processor. */
export interface Collections {
  /** For sessions. */
  readonly client: MongoClient;
  readonly jobs: Collection<JobDocument>;
  readonly jobFactories: Collection<JobFactoryDocument>;
  readonly scheduler: Collection<SchedulerItemDocument>;
  readonly queues: Collection<QueueDocument>;
  readonly workers: Collection<WorkerDocument>;
  readonly idempotencyKeys: Collection<IdempotencyKeyDocument>;
  readonly endedSessions: Collection<EndedSessionDocument>;
  readonly wrongKeys: Collection<WrongKeyDocument>;
  readonly statistics: Collection<StatisticsDocument>;
}

/** What the collections are here, whatever they are called in the database. */
export const collectionKeys = [
  'jobs',
  'jobFactories',
  'scheduler',
  'queues',
  'workers',
  'idempotencyKeys',
  'endedSessions',
  'wrongKeys',
  'statistics',
] as const satisfies readonly (keyof Collections)[];
export type CollectionKey = Exclude<keyof Collections, 'client'>;

/**
 * Whatever the given Db says: a write counts only once a majority has it, or a failover could take it back
 * (invariant 1), and reads that decide go to the primary.
 */
const durable: CollectionOptions = {
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
  readConcern: { level: 'local' },
};

/**
 * The collections of `db` whose names begin with a prefix, with the read and write concerns that the invariants need, and
 * a time limit for reads.
 */
export function openCollections(db: Db, prefix: string): Collections {
  const names = collectionNamesOf(prefix);
  const { major, sharesBson } = driverOf(db);
  const open = <Schema extends Document>(name: CollectionKey) => {
    const collection = db.collection<Schema>(names[name], durable);
    return limitReads(sharesBson ? collection : inTheirBson(collection, major));
  };
  return {
    client: db.client,
    jobs: open<JobDocument>('jobs'),
    jobFactories: open<JobFactoryDocument>('jobFactories'),
    scheduler: open<SchedulerItemDocument>('scheduler'),
    queues: open<QueueDocument>('queues'),
    workers: open<WorkerDocument>('workers'),
    idempotencyKeys: open<IdempotencyKeyDocument>('idempotencyKeys'),
    endedSessions: open<EndedSessionDocument>('endedSessions'),
    wrongKeys: open<WrongKeyDocument>('wrongKeys'),
    statistics: open<StatisticsDocument>('statistics'),
  };
}

/** The names of the collections in a database, by what they are here. */
export function collectionNamesOf(prefix: string): Readonly<Record<CollectionKey, string>> {
  return {
    jobs: `${prefix}jobs`,
    jobFactories: `${prefix}jobFactories`,
    scheduler: `${prefix}scheduler`,
    queues: `${prefix}queues`,
    workers: `${prefix}workers`,
    idempotencyKeys: `${prefix}idempotencyKeys`,
    endedSessions: `${prefix}endedSessions`,
    wrongKeys: `${prefix}wrongKeys`,
    statistics: `${prefix}statistics`,
  };
}
