import type { Collection, Document } from 'mongodb';
import type { LocalProcessor, LocalProcessorOptions } from '../../local/processor.js';
import type { Job } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import type { SchedulerItemDocument } from '../../src/scheduler/item.js';
import { collectionNames } from '../collection-names.js';
import { type TestDatabase, type TestDatabaseOptions, useDatabase } from '../database.js';
import { anything, echo, flaky } from '../jobs.js';

/** A database for tests of scheduler items. */
export interface SchedulerDatabase extends TestDatabase {
  readonly items: () => Collection<SchedulerItemDocument>;
  readonly jobs: () => Collection<JobDocument>;
  /** Returns a processor that knows `echo`, `anything` and `flaky`. */
  setup(options?: Partial<LocalProcessorOptions>): Promise<LocalProcessor>;
  /** Returns the time of the database's clock. */
  now(): Promise<Date>;
  /** Makes an item due `seconds` ago, as a whole second, and returns that time. */
  makeDue(id: string, seconds?: number): Promise<Date>;
  /** Stores an input larger than an item may have, as an earlier version could. */
  storeLargeInput(id: string, input: unknown): Promise<void>;
  /** Moves all dates in items and jobs back by `seconds`, as if that time had passed. */
  elapse(seconds: number): Promise<void>;
}

/** Sets up the database. Call it at the top of a test file. */
export function useSchedulerDatabase(options: TestDatabaseOptions = {}): SchedulerDatabase {
  const database = useDatabase(options);
  const items = () => database.db.collection<SchedulerItemDocument>(collectionNames.scheduler);
  const jobs = () => database.db.collection<JobDocument>(collectionNames.jobs);
  const now = async (): Promise<Date> => (await database.db.command({ hello: 1 })).localTime;
  return {
    ...database,
    items,
    jobs,
    now,
    async setup(options) {
      const processor = database.processor(options);
      await processor.addJobFactories([echo, anything, flaky]);
      return processor;
    },
    async makeDue(id, seconds = 1) {
      const second = Math.floor((await now()).getTime() / 1000);
      const nextCallTime = new Date((second - seconds) * 1000);
      await items().updateOne({ _id: id }, { $set: { nextCallTime } });
      return nextCallTime;
    },
    async storeLargeInput(id, input) {
      await items().updateOne({ _id: id }, { $set: { input } });
    },
    async elapse(seconds) {
      for (const name of [collectionNames.scheduler, collectionNames.jobs]) {
        const collection = database.db.collection(name);
        for (const document of await collection.find().toArray())
          await collection.replaceOne({ _id: document._id }, earlier(document, seconds));
      }
    },
  };
}

function earlier(document: Document, seconds: number): Document {
  const entries = Object.entries(document).map(([name, value]) => [name, earlierValue(value, seconds)]);
  return Object.fromEntries(entries);
}

function earlierValue(value: unknown, seconds: number): unknown {
  if (value instanceof Date) return new Date(value.getTime() - seconds * 1000);
  return isPlainObject(value) ? earlier(value, seconds) : value;
}

function isPlainObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Returns when the occurrences of these jobs are due, in order. */
export function occurrencesOf(jobs: readonly Pick<Job, 'occurrence'>[]): Date[] {
  const dates = jobs.flatMap(({ occurrence }) => occurrence?.at ?? []);
  return dates.sort((a, b) => a.getTime() - b.getTime());
}

/** Returns the first moment plus each of these numbers of seconds. */
export function later(first: Date, ...seconds: readonly number[]): Date[] {
  return seconds.map((more) => new Date(first.getTime() + more * 1000));
}
