import { MongoClient } from 'mongodb';
import { afterEach, expect, test } from 'vitest';
import { startEmbeddedMongo } from '../../local/mongo/index.js';
import { LocalProcessor, type LocalProcessorOptions } from '../../local/processor.js';
import { openCollections } from '../../src/collections/collections.js';
import { findWrongIndexes } from '../../src/collections/find-wrong-indexes.js';
import { defineJob } from '../../src/index.js';
import { silent } from '../database.js';
import { eventually } from '../eventually.js';
import { echo } from '../jobs.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Loops on a database that is replaced by an empty one at the same address. */
async function replaceUnder(options: Partial<LocalProcessorOptions>) {
  const first = await startEmbeddedMongo();
  const client = new MongoClient(first.uri, { minHeartbeatFrequencyMS: 20 });
  const db = client.db('replaced');
  const processor = new LocalProcessor({
    db,
    log: silent,
    pollInterval: 20,
    scheduleInterval: 20,
    ...options,
  });
  await processor.ensureIndexes();
  await processor.getJobFactories(); // Stores those of the constructor.
  processor.startProcessor();
  processor.startScheduler();
  closing.push(() => Promise.all([processor.stopProcessor(), processor.stopScheduler()]));
  closing.push(() => client.close());
  await first.stop();
  const second = await startEmbeddedMongo({ port: Number(new URL(first.uri).port) });
  closing.push(() => second.stop());
  return { processor, collections: openCollections(db, processor.collectionPrefix) };
}

test('loops on a database that was replaced by an empty one say so at once, though nothing fails there', async () => {
  const codes: unknown[] = [];
  const log = { ...silent, error: (_: string, details?: object) => void codes.push({ ...details }) };
  await replaceUnder({ log });
  await eventually(() => expect(codes).toContainEqual(expect.objectContaining({ code: 'index_missing' })));
});

test('they set it up again: indexes, job factories and declared items', async () => {
  const told: unknown[] = [];
  const tell = (level: string) => (text: string, details?: object) =>
    void told.push({ level, text, ...details });
  const { processor, collections } = await replaceUnder({
    log: { ...silent, warn: tell('warn'), error: tell('error') },
    setUp: async (to) => {
      await to.ensureIndexes();
      await to.addJobFactory(echo);
      await to.syncSchedulers([
        { id: 'beat', type: 'Delay', delay: '1s', jobName: 'echo', input: {}, active: true },
      ]);
    },
  });
  await eventually(async () => {
    expect(await findWrongIndexes(collections)).toEqual({ missing: [], different: [] });
    expect(await processor.getJobs({ status: 'completed' })).not.toEqual([]);
    const made = { indexes: expect.any(Number), jobFactories: 1, schedulers: 1 };
    const text = expect.stringContaining('is set up again');
    expect(told).toContainEqual({ level: 'warn', text, ...made });
    expect(told).not.toContainEqual(expect.objectContaining({ code: 'index_missing' }));
  });
});

test('loops whose set-up never ends are stuck', async () => {
  const { processor } = await replaceUnder({ setUp: () => new Promise(() => {}) });
  await eventually(() => expect(processor.stuckLoops('1s').toSorted()).toEqual(processor.loops().toSorted()));
});

test('they store again what was registered, also by the constructor, whether somebody makes the indexes or not', async () => {
  const jobs = { echo, contract: defineJob({ name: 'contract' }) };
  const { collections } = await replaceUnder({ jobs });
  await eventually(async () => {
    const stored = await collections.jobFactories.find().toArray();
    expect(stored.map(({ _id }) => _id).toSorted()).toEqual(['contract', 'echo']);
  });
});
