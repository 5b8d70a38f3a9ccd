/** What MongoDB deletes by itself, where an application has collections of the same names. */
import { type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../local/mongo/index.js';
import { RemoteProcessor } from '../../src/index.js';
import { silent } from '../database.js';

let mongo: EmbeddedMongo;
let client: MongoClient;

beforeAll(async () => {
  mongo = await startEmbeddedMongo();
  client = await new MongoClient(mongo.uri).connect();
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

const past = new Date(0);

/** Each lacks something that all of ours have. */
const theirs: Readonly<Record<string, readonly Document[]>> = {
  jobs: [
    { title: 'Plumber', retryCounter: 0, status: 'open', expireAt: past },
    { _id: 'counted', retryCounter: 1, expireAt: past },
    { _id: 'named', jobName: 'paint', status: 'completed', expireAt: past },
    { _id: 'own status', jobName: 'paint', status: 'open', retryCounter: 1, expireAt: past },
  ],
  workers: [{ host: 'a', processor: 64, expires: past }],
  idempotencyKeys: [{ _id: 'key', requestHash: 'abc', expireAt: past, answer: 42 }],
  wrongKeys: [{ _id: 'door', isCounted: true, expireAt: past }],
  marks: [{ _id: 'grade', at: 'noon', expireAt: past }],
  statistics: [{ _id: 'page', written: past, expireAt: past }],
  statisticsHours: [{ _id: past, expireAt: past }],
};

test('what an application adds later is deleted by no TTL, and what is ours is', async () => {
  const db = client.db('shop');
  const processor = new RemoteProcessor({ db, collectionPrefix: '', log: silent });
  await processor.ensureIndexes();
  for (const [name, documents] of Object.entries(theirs))
    await db.collection(name).insertMany([...documents]);
  const ours = { jobName: 'echo', status: 'completed', retryCounter: 1, expireAt: past };
  const jobs = db.collection<{ _id: string }>('jobs');
  await jobs.insertOne({ _id: 'ours', ...ours });
  expect(mongo.removeExpired()).toBe(1);
  expect(await jobs.findOne({ _id: 'ours' })).toBeNull();
  for (const [name, documents] of Object.entries(theirs))
    expect([name, await db.collection(name).countDocuments()]).toEqual([name, documents.length]);
});
