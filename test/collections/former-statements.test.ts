import type { Document } from 'mongodb';
import { beforeAll, expect, test } from 'vitest';
import { collectionNamesOf } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();
beforeAll(() => database.processor(unprefixed).ensureIndexes());

/** It knew no prefix. */
const { jobs } = collectionNamesOf('');
const unprefixed = { collectionPrefix: '' };

const created = { created: 1, _id: 1 };
const isDue = { $expr: { $lte: ['$runAt', '$$NOW'] } };
const claimOrder = { priority: -1, runAt: 1, _id: 1 };
const queued = { status: 'queued', jobName: { $in: ['echo'] } };
const expired = { status: 'processing', $expr: { $lte: ['$lease.expires', '$$NOW'] } };
const take = [{ $set: { status: 'processing', lease: { token: 't', expires: new Date(1) } } }];

/**
 * As version 0.1.0 sent them before claims had an index of their own shape. It may run beside this version while a
 * deployment is under way, and after it was rolled back.
 */
const statements: readonly (readonly [what: string, command: Document, answers: number])[] = [
  ['a list of all', { find: jobs, filter: {}, sort: { created: -1, _id: -1 }, hint: created }, 3],
  [
    'a list by name',
    {
      find: jobs,
      filter: { jobName: 'echo' },
      hint: { jobName: 1, ...created },
      min: ends(2000),
      max: ends(2999),
    },
    3,
  ],
  ['a claim of all queues', { find: jobs, filter: { ...queued, ...isDue }, sort: claimOrder, limit: 2 }, 2],
  [
    'a claim of some queues',
    {
      find: jobs,
      filter: { ...queued, queue: { $in: ['default'] }, ...isDue },
      sort: claimOrder,
      limit: 2,
    },
    2,
  ],
  [
    'a claim of one',
    { findAndModify: jobs, query: { ...queued, ...isDue }, sort: claimOrder, update: take, new: true },
    1,
  ],
  [
    'the look for expired leases',
    { aggregate: jobs, pipeline: [{ $match: expired }, { $limit: 1 }], cursor: {} },
    1,
  ],
  ['a count by status', { find: jobs, filter: { status: 'queued' }, projection: { _id: 1 } }, 2],
];

function ends(year: number): Document {
  return { jobName: 'echo', created: new Date(Date.UTC(year)), _id: '' };
}

function answersOf({ cursor, value }: Document): number {
  if (cursor) return cursor.firstBatch.length;
  return value ? 1 : 0;
}

test('what the version before these indexes asks finds what it is to find', async () => {
  const processor = database.processor(unprefixed);
  await processor.addJobFactory(echo);
  for (const id of ['a', 'b', 'c']) await processor.addJob('echo', {}, { id });
  for (const [what, command, answers] of statements)
    expect([what, answersOf(await database.db.command(command))]).toEqual([what, answers]);
});

test('but the queues that have jobs, and a claim by an index that is gone: it is told so', async () => {
  const waiting = { find: jobs, filter: { status: 'queued', queue: { $gt: '' } } };
  const byQueue = { queue: 1, priority: -1, runAt: 1, _id: 1, jobName: 1 };
  const all = { priority: -1, runAt: 1, _id: 1, jobName: 1, queue: 1, status: 1 };
  for (const hint of ['claimByQueue', byQueue, all])
    await expect(database.db.command({ ...waiting, hint })).rejects.toMatchObject({ code: 2 });
});

test('but a list by status, whose index is gone: it is told so, and can make that again', async () => {
  const byStatus = { status: 1, ...created };
  const list = { find: jobs, filter: { status: 'error' }, hint: byStatus };
  await expect(database.db.command(list)).rejects.toMatchObject({ code: 2 });
  await database.db.collection(jobs).createIndex(byStatus, { name: 'byStatus' });
  expect(answersOf(await database.db.command(list))).toBe(0);
  await database.processor(unprefixed).ensureIndexes();
  await expect(database.db.command(list)).rejects.toMatchObject({ code: 2 });
});
