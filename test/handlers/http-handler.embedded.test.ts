import { MongoClient } from 'mongodb';
import { expect, test } from 'vitest';
import { createHttpHandler } from '../../handlers/lambda.js';
import { startEmbeddedMongo } from '../../local/mongo/index.js';
import { readConfig } from '../../src/config.js';
import { RemoteProcessor } from '../../src/index.js';
import { closeMongoClients } from '../../src/mongo/client.js';
import { silent } from '../database.js';
import { echo } from '../jobs.js';

import { contextOf, httpEvent } from './events.js';

async function makeIndexes(uri: string): Promise<void> {
  const client = new MongoClient(uri);
  const { MONGODB_DATABASE } = readConfig({});
  await new RemoteProcessor({ db: client.db(MONGODB_DATABASE), log: silent }).ensureIndexes();
  await client.close();
}

test('a container that could not reach the database at first, or lost it, serves once it is there', async () => {
  const { port, uri, stop } = await startEmbeddedMongo();
  await stop();
  const env = { MONGODB_URI: `${uri}&serverSelectionTimeoutMS=1000` };
  const handler = createHttpHandler({ jobs: [echo], env, log: silent });
  const health = async () => (await handler(httpEvent('GET', '/health'), contextOf(29_000))).statusCode;

  expect(await health()).toBe(503);
  const first = await startEmbeddedMongo({ port });
  await makeIndexes(uri);
  expect(await health()).toBe(200);
  await first.stop();
  expect(await health()).toBe(503);
  const second = await startEmbeddedMongo({ port });
  await makeIndexes(uri);
  expect(await health()).toBe(200);
  await closeMongoClients();
  await second.stop();
});
