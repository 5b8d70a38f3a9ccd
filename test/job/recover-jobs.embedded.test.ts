/** Recovery of many jobs, and by a database that is slow. */
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../local/mongo/index.js';
import { LocalProcessor } from '../../local/processor.js';
import type { JobDocument } from '../../src/job/job.js';
import { collectionNames } from '../collection-names.js';
import { silent } from '../database.js';
import { echo } from '../jobs.js';

let mongo: EmbeddedMongo;
let client: MongoClient;

beforeAll(async () => {
  mongo = await startEmbeddedMongo();
  client = await new MongoClient(mongo.uri, { monitorCommands: true }).connect();
});
afterEach(() => client.db('recovery').dropDatabase());
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

const jobs = () => client.db('recovery').collection<JobDocument>(collectionNames.jobs);

/** As if so many workers had died, each with as many jobs. */
async function lostJobs({ workers, each }: { workers: number; each: number }): Promise<LocalProcessor> {
  const processor = new LocalProcessor({ db: client.db('recovery'), log: silent });
  await processor.ensureIndexes();
  await processor.addJobFactory(echo);
  const input = { text: 'x'.repeat(1_000) };
  await processor.addJobs(Array.from({ length: workers * each }, () => ({ name: 'echo', input })));
  const all = await jobs().find().toArray();
  const claims = all.map(({ _id }, n) => {
    const lease = {
      token: `token ${n}`,
      worker: `worker ${n % workers}`,
      expires: new Date(0),
      lengthMs: 1000,
    };
    const claimed = { status: 'processing', lease, retryCounter: 1, started: new Date(0) } as const;
    return { updateOne: { filter: { _id }, update: { $set: claimed } } };
  });
  await jobs().bulkWrite(claims);
  return processor;
}

test('one call ends the attempts of all workers that died, however many they were', async () => {
  const processor = await lostJobs({ workers: 10, each: 12 });
  expect(await processor.recoverJobs()).toBe(120);
  expect(await jobs().countDocuments({ status: 'queued', runAlone: true, retryCounter: 0 })).toBe(120);
});

test('a database that is slow is waited for', async () => {
  const processor = await lostJobs({ workers: 1, each: 2 });
  const slow = { failCommands: ['aggregate'], blockConnection: true, blockTimeMS: 1_500 };
  await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data: slow });
  expect(await processor.recoverJobs()).toBe(2);
});

test('of a lost job only its lease is read, and whether it was cancelled: its input may be large', async () => {
  const processor = await lostJobs({ workers: 1, each: 2 });
  const replies: unknown[] = [];
  client.on('commandSucceeded', ({ commandName, reply }) => {
    if (commandName !== 'commitTransaction') replies.push(reply);
  });
  expect(await processor.recoverJobs()).toBe(2);
  client.removeAllListeners('commandSucceeded');
  expect(replies.length).toBeGreaterThan(2);
  for (const reply of replies) expect(JSON.stringify(reply)).not.toContain('xxxx');
});

test('a lease that ends while another is recovered still tells that its worker may have more to lose', async () => {
  const processor = await lostJobs({ workers: 1, each: 2 });
  const lengthMs = 9_000;
  const [first, second] = await jobs().find().toArray();
  const expiring = (inMs: number) => [
    { $set: { 'lease.expires': { $add: ['$$NOW', inMs] }, 'lease.lengthMs': lengthMs } },
  ];
  const slow = { failCommands: ['distinct'], blockConnection: true, blockTimeMS: 1_500 };
  await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data: slow });
  await jobs().updateOne({ _id: first?._id ?? '' }, expiring(-1));
  await jobs().updateOne({ _id: second?._id ?? '' }, expiring(1_000));
  // On a busy machine the second may have ended before: then both were lost together.
  const lost = await processor.recoverJobs();
  expect([0, 2]).toContain(lost);
  expect(await jobs().countDocuments({ retryCounter: 1, status: 'queued' })).toBe(0);
});
