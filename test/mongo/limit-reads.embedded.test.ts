import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../handlers/http/app.js';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../local/mongo/index.js';
import { openCollections } from '../../src/collections/collections.js';
import { ReadTimeoutError, RemoteProcessor } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { silent } from '../database.js';
import { apiKeys, expectProblem } from '../handlers/http/api.js';
import { echo } from '../jobs.js';

let mongo: EmbeddedMongo;
let client: MongoClient;
let processor: RemoteProcessor;

beforeAll(async () => {
  mongo = await startEmbeddedMongo();
  client = new MongoClient(mongo.uri);
  processor = new RemoteProcessor({ db: client.db('slow'), log: silent });
  await processor.ensureIndexes();
  await processor.addJobFactory(echo);
});
afterEach(() => setFailPoint('off'));
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

/** MongoDB answers reads as it does those that took longer than they may. */
const setFailPoint = (mode: 'alwaysOn' | 'off') =>
  client.db('admin').command({
    configureFailPoint: 'failCommand',
    mode,
    data: { failCommands: ['find', 'aggregate'], errorCode: 50 },
  });

test.each([
  ['of one job', () => processor.getJob('a'), collectionNames.jobs],
  ['of a list', () => processor.getJobs(), collectionNames.jobs],
  ['of a page', () => processor.factories.list(), collectionNames.jobFactories],
  ['that counts', () => processor.jobs.countReady(), collectionNames.queues],
  ['of scheduler items', () => processor.getSchedulers(), collectionNames.scheduler],
  ['within a transaction', () => processor.removeScheduler('a'), collectionNames.scheduler],
])('a read %s that takes too long ends with an error that says what to do', async (_, read, collection) => {
  await setFailPoint('alwaysOn');

  const error = await read().catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(ReadTimeoutError);
  expect(error).toMatchObject({
    code: 'read_timeout',
    collection,
    message: expect.stringContaining('ensure-indexes'),
    cause: { code: 50 },
  });
});

test('so it does by a cursor that was told more of how to read', async () => {
  const { jobs } = openCollections(client.db('slow'), processor.collectionPrefix);
  await setFailPoint('alwaysOn');

  const told = () =>
    jobs
      .find()
      .sort({ created: 1 })
      .limit(1)
      .map(({ _id }) => _id);
  const eachOf = async () => {
    for await (const id of told()) expect(id).toBeDefined();
  };

  for (const read of [told().toArray(), told().next(), eachOf()])
    await expect(read).rejects.toMatchObject({ code: 'read_timeout' });
});

test('over HTTP it is a 503 that tells when to try again', async () => {
  const app = createApp({ processor, apiKeys, log: silent });
  await setFailPoint('alwaysOn');

  const response = await app.request('/v1/jobs/a', { headers: { authorization: 'Bearer key-of-read' } });

  expect(response.headers.get('retry-after')).toBe('5');
  await expectProblem(response, 503, 'read_timeout');
});
