import { type Document, ObjectId } from 'mongodb';
import { afterEach, expect, test } from 'vitest';
import { describedCollections } from '../../src/collections/collections.js';
import { findForeignDocuments } from '../../src/collections/find-foreign-documents.js';
import { findLeftBehind } from '../../src/collections/find-left-behind.js';
import { slowDown } from '../../src/flow/reserve.js';
import { doOnce } from '../../src/idempotency/do-once.js';
import { ForeignDocumentsError } from '../../src/index.js';
import { addPage } from '../../src/job/step-pages.js';
import { countWrongKey } from '../../src/sign-in/count-wrong-key.js';
import { endSession } from '../../src/sign-in/end-session.js';
import { rollUpHours } from '../../src/statistics/roll-up-hours.js';
import { registerWorker } from '../../src/worker/register-worker.js';
import { collectionNamesOf } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo, failing } from '../jobs.js';
import { useCommandLine } from '../local/cli/command-line.js';

const database = useDatabase();
const { run } = useCommandLine(database);

/** An application calls its collections what it likes, and so does it its indexes. */
const taken = collectionNamesOf('');
afterEach(async () => {
  for (const name of Object.values(taken)) await database.db.collection(name).drop();
});

async function addDocuments(documents: readonly Document[]): Promise<void> {
  for (const name of Object.values(taken))
    await database.db.collection(name).insertMany(documents.map((document) => ({ ...document })));
}

/** Puts an application into the database, with a job that is long over by each of its fields. */
async function application(documents: readonly Document[]): Promise<void> {
  await addDocuments(documents);
  for (const name of Object.values(taken)) {
    const collection = database.db.collection(name);
    await collection.createIndex({ status: 1 }, { name: 'status' });
    await collection.createIndex({ expireAt: 1 }, { name: 'expireAt' });
  }
}

/** All bytes of what is the application's, in the form that is compared fastest. */
async function applicationNow(): Promise<readonly unknown[]> {
  const all = Object.values(taken).map(async (name) => {
    const documents = await database.db.collection(name, { raw: true }).find().toArray();
    const bytes = documents.map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    );
    return [name, bytes.join(' '), await database.db.collection(name).indexes()];
  });
  return Promise.all(all);
}

const long = new Date(Date.UTC(2001));
const opening = { title: 'Cook', status: 'completed', created: long, completed: long, expireAt: long };

test('an application that has collections and indexes of the same names keeps them as they are', async () => {
  await application([{ _id: new ObjectId(), ...opening }, { _id: new ObjectId() }]);
  const before = await applicationNow();
  const processor = database.processor();

  await processor.ensureIndexes({ byQueue: true });
  await processor.ensureIndexes({ byQueue: false });
  await processor.addJobFactories([echo, failing]);
  await processor.addJob('echo', {}, { uniqueKey: 'one' });
  await processor.scheduleDueItems();
  await processor.drain();
  expect(await processor.removeJobs()).toMatchObject({ completed: 1 });
  expect(await findLeftBehind(database.collections())).toBeUndefined();

  expect(await applicationNow()).toEqual(before);
});

test.each([undefined, 30 * 24 * 3600])(
  'an index of an empty collection that is called as one of ours keeps its expiry of %s',
  async (expireAfterSeconds) => {
    const expiry = expireAfterSeconds === undefined ? {} : { expireAfterSeconds };
    for (const name of Object.values(taken))
      await database.db.collection(name).createIndex({ expireAt: 1 }, { name: 'expireAt', ...expiry });
    const before = await expiriesOf();

    const processor = database.processor({ collectionPrefix: '' });
    await expect(processor.ensureIndexes()).rejects.toThrow('expireAt');

    expect(await expiriesOf()).toEqual(before);
  },
);

/** When the documents of each of its collections go, by the application's own index. */
async function expiriesOf(): Promise<readonly unknown[]> {
  const all = Object.values(taken).map(async (name) => {
    const indexes = await database.db.collection(name).indexes();
    return [name, indexes.find((index) => index.name === 'expireAt')?.expireAfterSeconds];
  });
  return Promise.all(all);
}

test('under its very names nothing is made, dropped or removed, and it is told why', async () => {
  const id = new ObjectId();
  await application([{ _id: id, ...opening }]);
  const before = await applicationNow();
  const processor = database.processor({ collectionPrefix: '' });

  const error = await processor.ensureIndexes({ byQueue: false }).catch((thrown: unknown) => thrown);
  await expect(processor.removeJobs()).rejects.toThrow(ForeignDocumentsError);
  const doctor = await run(['doctor', '--json'], { on: 'database', env: { COLLECTION_PREFIX: '' } });
  const made = await run(['ensure-indexes'], { on: 'database', env: { COLLECTION_PREFIX: '' } });

  expect(error).toBeInstanceOf(ForeignDocumentsError);
  expect(error).toMatchObject({
    code: 'foreign_documents',
    found: expect.arrayContaining([{ collection: taken.jobs, id }]),
    message: expect.stringMatching(
      new RegExp(
        `'${taken.jobs}', such as the one with the _id "${id}", .*COLLECTION_PREFIX.*another database`,
      ),
    ),
  });
  expect(JSON.parse(doctor.out).findings).toContainEqual({
    check: 'collections',
    status: 'failure',
    detail: expect.stringContaining(String(id)),
    fix: expect.stringMatching(/^Take another prefix/),
  });
  expect(made).toMatchObject({ code: 1, err: expect.stringContaining(String(id)) });
  expect(await applicationNow()).toEqual(before);
});

test('documents that an application adds later neither keep a lost job nor are scheduled', async () => {
  const processor = database.processor({ collectionPrefix: '' });
  await processor.ensureIndexes();
  const running = Array.from({ length: 2_000 }, () => ({ _id: new ObjectId(), status: 'processing' }));
  await addDocuments([...running, { _id: 'a post', active: true }]);
  const before = await applicationNow();
  const jobs = database.db.collection<{ _id: string }>(taken.jobs);
  const { insertedId } = await jobs.insertOne({
    ...aJob,
    _id: 'lost',
    ...{ status: 'processing', lease: { token: 't', worker: 'dead', expires: long, lengthMs: 1000 } },
  });

  expect(await processor.recoverJobs()).toBe(1);
  expect(await processor.reScheduleItems()).toBe(0);

  await jobs.deleteOne({ _id: insertedId });
  expect(await applicationNow()).toEqual(before);
});

test('a document that an application adds later is no job that could be changed, and that is told', async () => {
  const processor = database.processor({ collectionPrefix: '' });
  await processor.ensureIndexes();
  const documents = ['queued', 'error', 'completed'].map((status) => ({ _id: `a post, ${status}`, status }));
  const jobs = database.db.collection<{ _id: string; status: string }>(taken.jobs);
  await jobs.insertMany(documents);
  const changes = [
    (id: string) => processor.cancelJob(id),
    (id: string) => processor.retryJob(id),
    (id: string) => processor.updateJob(id, { priority: 1 }),
    (id: string) => processor.removeJob(id),
  ];

  for (const { _id: id } of documents)
    for (const change of changes)
      await expect(change(id)).rejects.toMatchObject({ code: 'foreign_documents', found: [{ id }] });

  expect(await jobs.find().toArray()).toEqual(documents);
});

/** As our first version wrote them, and more of them than are looked at from one end. */
function manyOfOurs(name: string): Document[] {
  return Array.from({ length: 1_001 }, (_, n) => ({
    _id: `${name}${n}`,
    ...{ jobName: 'echo', queue: 'default', priority: 0, status: 'queued', errors: [] },
    ...{ retryCounter: 0, givenBackCounter: 0, maxRetries: 3, retryDelay: 0 },
    ...{ runAt: new Date(), created: new Date(), queued: new Date() },
  }));
}

const text = { title: 'Cook', status: 'completed' };
const aJob = { ...manyOfOurs('x')[0], _id: 'y' };

test.each<[what: string, document: Document, place: 'first' | 'amid' | 'last']>([
  ['with an ObjectId', { _id: new ObjectId() }, 'amid'],
  ['with a number', { _id: 7 }, 'amid'],
  ['with an object', { _id: { tenant: 1 } }, 'amid'],
  ['that has no name', { _id: 'h', ...text }, 'amid'],
  ['of an application that was there before', { _id: 'h', ...text, jobName: 'Cook' }, 'first'],
  ['that the application added', { _id: 'h', ...text, jobName: 'Cook' }, 'last'],
  ['that lacks a counter', { ...aJob, retryCounter: null }, 'last'],
  ['that looks like a job, save for its counter,', { ...aJob, retryCounter: null }, 'amid'],
])('a document %s is found among those of ours', async (_, document, place) => {
  const jobs = database.db.collection<Document>(taken.jobs);
  const processor = database.processor({ collectionPrefix: '' });
  if (place === 'first') await jobs.insertOne({ ...document });
  else await processor.ensureIndexes();
  await jobs.insertMany(manyOfOurs('a'));
  if (place === 'amid') await jobs.insertOne({ ...document });
  if (place !== 'last') await jobs.insertMany(manyOfOurs('z'));
  else await jobs.insertOne({ ...document });

  await expect(processor.ensureIndexes()).rejects.toMatchObject({
    found: [{ collection: taken.jobs, id: document._id }],
  });
});

test('an item of an application that has a type and the name of a job is not taken for ours', async () => {
  const item = { _id: 'nightly', type: 'Cron', jobName: 'echo', cron: '* * * * *', active: true };
  await database.db.collection<{ _id: string }>(taken.scheduler).insertOne(item);
  await expect(database.processor({ collectionPrefix: '' }).ensureIndexes()).rejects.toMatchObject({
    found: [{ collection: taken.scheduler, id: 'nightly' }],
  });
});

test('a document that is not ours is not removed, whatever its status', async () => {
  const { jobs } = database.collections();
  const { expireAt: _, ...rest } = opening;
  const foreign = { _id: 'h', ...rest };
  await database.db.collection<{ _id: string }>(jobs.collectionName).insertOne(foreign);
  const processor = database.processor();

  expect(await processor.removeJobs()).toMatchObject({ completed: 0 });
  await processor.removeJob('h').catch(() => {});

  expect(await jobs.countDocuments()).toBe(1);
});

test('whatever is ours is taken for that, as each version wrote it', async () => {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  await processor.addJob('echo', {}, { uniqueKey: 'a' });
  await processor.addJob('failing');
  await processor.addBatch([{ name: 'echo', input: {} }]);
  await processor.addJob('echo', {}, { delay: '1h' });
  for (const item of [
    { type: 'Cron', cron: '* * * * *' },
    { type: 'Cron', minute: [1] },
    { type: 'Delay', delay: '1s' },
    { type: 'At', at: new Date(0) },
  ] as const)
    await processor.addScheduler({ ...item, jobName: 'echo', input: {}, active: true });
  await processor.queues.pause('other');
  await processor.scheduleDueItems();
  await processor.drain();
  await registerWorker(database.collections().workers, { _id: 'w', processor: 'p', maxThreads: 1 }, 1000);
  const collections = database.collections();
  await countWrongKey(collections.wrongKeys, 'address');
  await slowDown(collections.limits, 'limit=key', 1000);
  await addPage(collections.jobSteps, 'job', []);
  await endSession(collections.endedSessions, 'session', new Date(Date.now() + 60_000));
  await processor.operations.start({ action: 'retry', filter: { status: 'error' } });
  await processor.marks.add({ text: 'v42' });
  await rollUpHours(collections, Date.now() + 24 * 60 * 60 * 1000);
  await database.processor({ alerts: { url: 'http://127.0.0.1:1' } }).tellVerdict();
  await processor.audit.record({ who: 'ann', action: 'retryJob', targets: ['job:7'] });
  const request = { owner: 'o', key: 'k', requestHash: 'h', jobCount: 1, changedNothing: () => false };
  await doOnce(collections.idempotencyKeys, { ...request, work: async () => 'reply' });
  await database.db.collection<{ _id: string }>(collections.jobs.collectionName).insertOne(aJob);

  const all = describedCollections(collections);
  const counts = all.map(async ({ described, collection }) => ({
    name: described.name,
    count: await collection.countDocuments(),
  }));
  expect((await Promise.all(counts)).filter(({ count }) => count === 0)).toEqual([]);
  expect(await findForeignDocuments(collections)).toEqual([]);
});
