import { type Collection, MongoClient } from 'mongodb';
import { expect } from 'vitest';
import { z } from 'zod';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../../local/mongo/index.js';
import { defineJob, RemoteProcessor } from '../../../src/index.js';
import type { JobDocument } from '../../../src/job/job.js';
import { collectionNames } from '../../collection-names.js';
import { silent } from '../../database.js';
import type { Definition, ItemModel, Timing } from './item-model.js';

/** The real processor on a server whose clock stands still until it is set. */
export interface Real {
  readonly processor: RemoteProcessor;
  readonly jobs: Collection<JobDocument>;
  /** The server's clock, in seconds since the epoch. */
  readonly clock: { now: number };
  /** The occurrences whose jobs were run, in order. */
  readonly ran: number[];
  stop(): Promise<void>;
}

/** Returns a processor with the one job of the model. */
export async function makeReal(): Promise<Real> {
  const clock = { now: 0 };
  const mongo: EmbeddedMongo = await startEmbeddedMongo({ clock: () => clock.now * 1000 });
  const client = new MongoClient(mongo.uri);
  const db = client.db('model');
  const processor = new RemoteProcessor({ db, log: silent, maxThreads: 1 });
  const ran: number[] = [];
  const modelled = defineJob({
    name: 'modelled',
    input: z.object({ at: z.iso.datetime(), title: z.string().optional() }),
    retention: { completed: 'forever', cancelled: 'forever' },
    run: ({ input }) => ran.push(Date.parse(input.at) / 1000),
  });
  await processor.ensureIndexes();
  await processor.addJobFactory(modelled);
  return {
    processor,
    jobs: db.collection<JobDocument>(collectionNames.jobs),
    clock,
    ran,
    async stop() {
      await client.close();
      await mongo.stop();
    },
  };
}

/** Removes everything, and adds the item of the model. */
export async function begin(
  { processor, jobs, clock, ran }: Real,
  { definition, now }: ItemModel,
): Promise<void> {
  for (const { id } of await processor.getSchedulers()) await processor.removeScheduler(id);
  // Must come after the removal, which first makes due jobs.
  await jobs.deleteMany({});
  ran.length = 0;
  clock.now = now;
  await processor.addScheduler({
    ...{ id: 'item', jobName: 'modelled', timeField: 'at', active: false },
    ...optionsOf(definition),
  });
}

/** Expects that the item and its jobs match the model, and that no occurrence ran twice. */
export async function expectAsModelled(model: ItemModel, { processor, jobs, ran }: Real): Promise<void> {
  const { active, ended, nextCallTime, lastCallTime, occurrences, skipped } =
    (await processor.getScheduler('item')) ?? {};
  expect({ active, ended: ended === true, nextCallTime, lastCallTime, occurrences, skipped }).toEqual({
    active: model.active,
    ended: model.ended,
    nextCallTime: toDate(model.next),
    lastCallTime: toDate(model.last),
    occurrences: model.made.length,
    skipped: model.skipped,
  });
  const documents = await jobs.find().sort({ 'occurrence.at': 1 }).toArray();
  expect(documents.map(({ occurrence, status, runAt }) => ({ at: occurrence?.at, status, runAt }))).toEqual(
    [...model.jobs]
      .sort(([a], [b]) => a - b)
      .map(([at, { status, runAt }]) => ({ at: toDate(at), status, runAt: toDate(runAt) })),
  );
  expect(ran).toHaveLength(new Set(ran).size);
}

/** Returns the options for `addScheduler` and `updateScheduler`. */
export function optionsOf({ timing, catchUp, overlap, maxOccurrences, endAt }: Definition) {
  return {
    ...timingOptions(timing),
    ...{ catchUp, overlap, maxOccurrences },
    endAt: endAt === undefined ? undefined : new Date(endAt * 1000),
  };
}

export function timingOptions(timing: Timing) {
  switch (timing.type) {
    case 'Delay':
      return { type: 'Delay', delay: timing.seconds * 1000 } as const;
    case 'Cron':
      return { type: 'Cron', cron: `*/${timing.minutes} * * * *` } as const;
    case 'At':
      return { type: 'At', at: new Date(timing.at * 1000) } as const;
  }
}

function toDate(seconds: number | null): Date | null {
  return seconds === null ? null : new Date(seconds * 1000);
}
