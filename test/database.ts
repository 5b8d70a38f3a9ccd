import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type CommandStartedEvent, type Db, type Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { LocalProcessor, type LocalProcessorOptions } from '../local/processor.js';
import { makeIndexes } from '../local/testing/make-indexes.js';
import { type Collections, openCollections } from '../src/collections/collections.js';
import { silentLogger } from '../src/index.js';
import type { JobDocument } from '../src/job/job.js';
import { DEFAULT_COLLECTION_PREFIX } from '../src/mongo/collection-prefix.js';
import { collectionNames } from './collection-names.js';

/** A database for one test file, emptied after each test and dropped at the end. */
export interface TestDatabase {
  readonly uri: string;
  readonly name: string;
  readonly client: MongoClient;
  readonly db: Db;
  /** Returns the collections of a processor without its own prefix. */
  collections(): Collections;
  /** Returns the commands that `client` sends while `work` is under way. */
  commandsDuring(work: () => Promise<unknown>): Promise<readonly CommandStartedEvent[]>;
  /**
   * Returns only the commands sent for jobs. Leaves out what a worker sends by the clock, since its number depends on how
   * busy the machine is: its entry in `workers` (after 1 s) and the check for paused queues (every 5 s).
   */
  commandsForJobs(work: () => Promise<unknown>): Promise<readonly CommandStartedEvent[]>;
  /** Returns a job as it is stored, including fields that only workers know. */
  storedJob(id: string): Promise<JobDocument | null>;
  /** Returns a processor on this database that logs nothing, and is stopped after the test. */
  processor(options?: Partial<LocalProcessorOptions>): LocalProcessor;
}

export const silent = silentLogger;

/** The collections that a worker reads and writes as time passes, whatever it runs. */
const usedAsTimePasses: readonly unknown[] = [collectionNames.workers, collectionNames.queues];

export interface TestDatabaseOptions {
  /** Whether tests look at the commands of `client`. It makes each command cost half as much again. By default false. */
  readonly monitorCommands?: boolean;
}

/** Sets up a database. Call it at the top of a test file. Use `client`, `db` and `processor` inside tests. */
export function useDatabase({ monitorCommands = false }: TestDatabaseOptions = {}): TestDatabase {
  const uri = inject('mongodbUri');
  const name = `test-${randomBytes(6).toString('hex')}`;
  const client = new MongoClient(uri, { monitorCommands });
  if (!monitorCommands) refuseListeners(client);
  const db = client.db(name);
  let processors: LocalProcessor[] = [];

  beforeAll(async () => {
    await client.connect();
    await makeIndexes(openCollections(db, DEFAULT_COLLECTION_PREFIX));
  });
  afterEach(async () => {
    await Promise.all(processors.map((processor) => processor.stopProcessor()));
    await Promise.all(processors.map((processor) => processor.stopScheduler()));
    processors = [];
    await deleteDocuments(db);
  });
  afterAll(async () => {
    await db.dropDatabase();
    await client.close();
  });

  async function commandsDuring(work: () => Promise<unknown>) {
    const commands: CommandStartedEvent[] = [];
    const note = (event: CommandStartedEvent) => commands.push(event);
    client.on('commandStarted', note);
    try {
      await work();
    } finally {
      client.off('commandStarted', note);
    }
    return commands;
  }

  return {
    uri,
    name,
    client,
    db,
    collections: () => openCollections(db, DEFAULT_COLLECTION_PREFIX),
    commandsDuring,
    async commandsForJobs(work) {
      const all = await commandsDuring(work);
      return all.filter(({ commandName, command }) => !usedAsTimePasses.includes(command[commandName]));
    },
    storedJob: (id) => db.collection<JobDocument>(collectionNames.jobs).findOne({ _id: id }),
    processor(options = {}) {
      const processor = new LocalProcessor({ db, log: silent, ...options });
      processors.push(processor);
      return processor;
    },
  };
}

/** Deletes all documents. One command finds the few collections that have any, which is cheaper than a delete for each. */
async function deleteDocuments(db: Db): Promise<void> {
  const listed = await db.listCollections({ type: 'collection' }, { nameOnly: true }).toArray();
  const [first, ...others] = listed.map(({ name }) => name);
  if (first === undefined) return;
  const looks = others.map((coll) => ({ $unionWith: { coll, pipeline: nameIfUsed(coll) } }));
  const used = await db
    .collection(first)
    .aggregate([...nameIfUsed(first), ...looks])
    .toArray();
  await Promise.all(used.map(({ name }) => db.collection(name).deleteMany({})));
}

/** Stages that return the name of a collection if it has a document. */
function nameIfUsed(name: string): Document[] {
  return [{ $limit: 1 }, { $project: { _id: 0, name: { $literal: name } } }];
}

/** Fails a test that would wait for commands that nobody tells. */
function refuseListeners(client: MongoClient): void {
  EventEmitter.prototype.on.call(client, 'newListener', (event: unknown) => {
    if (`${event}`.startsWith('command'))
      throw new Error('Set it up by useDatabase({ monitorCommands: true }).');
  });
}
