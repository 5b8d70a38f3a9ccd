import { createHash } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LocalProcessor } from '../local/processor.js';
import type { RemoteProcessor } from '../src/index.js';
import { silent, useDatabase } from './database.js';
import { echo } from './jobs.js';

const database = useDatabase();
const client = new MongoClient(database.uri);
const names = [0, 1, 2, 3].map((n) => `${database.name}-cell-${n}`);
const cells = names.map((name) => new LocalProcessor({ db: client.db(name), log: silent }));

/** As docs/recipes/cells.md shows it. */
function cellOf(queue: string): RemoteProcessor {
  const weights = cells.map((_, n) => createHash('sha256').update(`${n} ${queue}`).digest('hex'));
  const [heaviest = ''] = weights.toSorted().reverse();
  const cell = cells[weights.indexOf(heaviest)];
  if (cell === undefined) throw new Error('There is no cell.');
  return cell;
}

beforeAll(async () => {
  for (const cell of cells) {
    await cell.ensureIndexes();
    await cell.addJobFactory(echo);
  }
});
afterAll(async () => {
  await Promise.all(names.map((name) => client.db(name).dropDatabase()));
  await client.close();
});

test('queues are spread over four databases, each with a worker of its own, and each job is run by its cell', async () => {
  const queues = Array.from({ length: 40 }, (_, n) => `tenant-${n}`);
  const ids = await Promise.all(queues.map((queue) => cellOf(queue).addJob('echo', { queue }, { queue })));
  const summaries = await Promise.all(cells.map((cell) => cell.drain()));
  const completed = summaries.map((summary) => summary.completed);
  expect(completed.reduce((sum, count) => sum + count)).toBe(queues.length);
  expect(Math.min(...completed)).toBeGreaterThan(0);
  for (const [n, queue] of queues.entries())
    expect(await cellOf(queue).getJobResult(ids[n] ?? '')).toEqual({ queue });
});
