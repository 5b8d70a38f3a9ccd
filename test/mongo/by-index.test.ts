import { expect, test } from 'vitest';
import { silent, useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

test('a worker goes on without the index of its claims, and says once that it is missing', async () => {
  const told: unknown[] = [];
  const log = { ...silent, warn: (_: string, fields?: object) => told.push(fields) };
  const processor = database.processor({ maxThreads: 1, log });
  await processor.addJobFactory(echo);
  for (let n = 0; n < 3; n += 1) await processor.addJob('echo', { n });
  await database.db.collection('jobs').dropIndex('claimAll');
  expect(await processor.drain()).toMatchObject({ completed: 3 });
  expect(told).toEqual([{ code: 'index_missing', index: 'claimAll' }]);
  await processor.ensureIndexes();
});
