import { expect, test } from 'vitest';
import type { IndexProgress } from '../../src/collections/index-options.js';
import { DuplicateValueError } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';

const database = useDatabase();
const jobs = () => database.db.collection<{ _id: string; uniqueKey?: string }>(collectionNames.jobs);

async function names(): Promise<string[]> {
  return (await jobs().indexes()).map(({ name }) => String(name));
}

test('beside an open transaction it waits, tells so, and makes them once that is over', async () => {
  const processor = database.processor();
  await jobs().dropIndex('byCreated');
  const told: IndexProgress[] = [];
  await database.client.withSession(async (session) => {
    session.startTransaction();
    await jobs().insertOne({ _id: 'held' }, { session });
    await processor.ensureIndexes({
      onProgress: (progress) => {
        told.push(progress);
        if (progress.kind === 'waiting') void session.abortTransaction();
      },
    });
  });
  const indexes = ['byCreated'];
  expect(told).toMatchObject([
    { kind: 'waiting', collection: collectionNames.jobs, indexes },
    { kind: 'building', indexes },
    { kind: 'made', indexes },
  ]);
  expect(await names()).toContain('byCreated');
});

test('one that is dropped waits so, too, and is told of', async () => {
  const processor = database.processor();
  await processor.ensureIndexes({ byQueue: true });
  const told: IndexProgress[] = [];
  await database.client.withSession(async (session) => {
    session.startTransaction();
    await jobs().insertOne({ _id: 'held' }, { session });
    await processor.ensureIndexes({
      byQueue: false,
      onProgress: (progress) => {
        told.push(progress);
        if (progress.kind === 'waiting') void session.abortTransaction();
      },
    });
  });
  const indexes = ['byQueue'];
  expect(told).toMatchObject([
    { kind: 'waiting', collection: collectionNames.jobs, indexes },
    { kind: 'dropped', collection: collectionNames.jobs, indexes },
  ]);
  expect(await names()).not.toContain('byQueue');
});

test('where a unique key is there twice, the values are named, and all other indexes are made', async () => {
  const processor = database.processor();
  await jobs().dropIndexes();
  const job = { jobName: 'echo', status: 'queued', retryCounter: 0 };
  await jobs().insertMany(['a', 'b'].map((_id) => ({ ...job, _id, uniqueKey: 'twice' })));
  const failure = await processor.ensureIndexes().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DuplicateValueError);
  expect(failure).toMatchObject({
    code: 'duplicate_value',
    duplicates: [{ index: `${collectionNames.jobs}.uniqueKey`, values: expect.stringContaining('twice') }],
  });
  expect(await names()).toEqual(expect.arrayContaining(['byCreated', 'occurrence', 'claimable']));
  await jobs().deleteMany({});
  await processor.ensureIndexes();
  expect(await names()).toContain('uniqueKey');
});
