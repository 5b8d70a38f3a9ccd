import { expect, test } from 'vitest';
import type { JobDocument } from '../../src/job/job.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

/** Jobs that wait for a limit, as far as lists look at them. */
const inLine = (key: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({
    _id: `${key}-${n}`,
    ...{ jobName: 'x', queue: 'default', status: 'queued', claimable: false, retryCounter: 0, priority: 0 },
    ...{ runAt: new Date(0), queued: new Date(0), blockedBy: key, limits: [{ key, limit: 1 }] },
  }));

test('the fullest limits are found though lines before them are longer than is counted', async () => {
  const lines = [inLine('a', 3), inLine('b', 5_200), inLine('c', 2), inLine('d', 4_990), inLine('e', 60)];
  const jobs = database.db.collection<Pick<JobDocument, '_id'>>(database.collections().jobs.collectionName);
  await jobs.insertMany(lines.flat());

  const { limits, cursor } = await database.processor().limits.list({ order: 'fullest', limit: 3 });

  expect(cursor).toBeUndefined();
  expect(limits.map(({ key, waiting }) => [key, waiting])).toEqual([
    ['b', { count: 1000, isCapped: true }],
    ['d', { count: 1000, isCapped: true }],
    ['e', { count: 60, isCapped: false }],
  ]);
  expect((await database.processor().limits.list({ order: 'fullest' })).limits.map(({ key }) => key)).toEqual(
    [...['b', 'd', 'e', 'a', 'c']],
  );
});
