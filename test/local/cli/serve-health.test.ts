import { MongoClient } from 'mongodb';
import { expect, onTestFinished, test } from 'vitest';
import { serveHealth } from '../../../local/cli/work/serve-health.js';
import { LocalProcessor } from '../../../local/processor.js';
import { collectionNames } from '../../collection-names.js';
import { silent, useDatabase } from '../../database.js';

const database = useDatabase();

/** Serves the health of a processor, and returns a function that asks at both addresses. */
async function healthOf(processor: LocalProcessor, stuckAfter?: number) {
  const { url, stop } = await serveHealth(processor, 0, silent, stuckAfter);
  onTestFinished(stop);
  const ask = async (path: string) => {
    const response = await fetch(url.replace('0.0.0.0', '127.0.0.1') + path);
    return [response.status, await response.json()];
  };
  return async () => ({ ready: await ask('/health'), live: await ask('/health/live') });
}

const isLive = [200, { status: 'ok' }];

test('a process is live from its start, and ready once its loop runs', async () => {
  const processor = database.processor();
  const health = await healthOf(processor);
  expect(await health()).toEqual({ ready: [503, { status: 'not running' }], live: isLive });

  processor.startProcessor();
  expect(await health()).toEqual({ ready: [200, { status: 'ok', loops: ['root-worker'] }], live: isLive });
});

test('without an index it is live, and not ready', async () => {
  const processor = database.processor();
  const health = await healthOf(processor);
  await database.db.collection(collectionNames.jobs).dropIndex('claimable');
  onTestFinished(() => processor.ensureIndexes());
  processor.startProcessor();

  expect(await health()).toEqual({ ready: [503, { status: 'index missing' }], live: isLive });
});

test('without its database it is live, and not ready', async () => {
  // Nothing listens at port 1.
  const client = new MongoClient('mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100');
  const processor = new LocalProcessor({ db: client.db('x'), log: silent });
  const health = await healthOf(processor);
  processor.startScheduler();
  onTestFinished(async () => {
    await processor.stopScheduler();
    await client.close();
  });

  expect(await health()).toEqual({ ready: [503, { status: 'unreachable' }], live: isLive });
});

test('a loop without a sign of life for too long is told by name', async () => {
  const processor = database.processor();
  processor.startScheduler();
  const health = await healthOf(processor, 0);

  expect((await health()).live).toEqual([503, { status: 'stuck', loops: ['root-scheduler'] }]);
});
