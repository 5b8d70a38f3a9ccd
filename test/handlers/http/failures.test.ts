import { MongoClient } from 'mongodb';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { createApp } from '../../../handlers/http/app.js';
import { RemoteProcessor } from '../../../src/index.js';
import { collectionNames } from '../../collection-names.js';
import { silent } from '../../database.js';
import { apiKeys, expectProblem, useApi } from './api.js';

// Nothing listens at port 1.
const unreachable = new MongoClient('mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100');
afterAll(() => unreachable.close());

const api = useApi({
  timeLeft: () => {
    throw new Error('A mistake of ours, with a secret: hunter2');
  },
});

test.each(['/health', '/v1/jobs/x'])(
  '%s says that the database cannot be reached, and no more',
  async (path) => {
    const db = unreachable.db('x');
    const processor = new RemoteProcessor({ db, log: silent });
    const app = createApp({ processor, apiKeys, log: silent });

    const response = await app.request(path, { headers: { authorization: 'Bearer key-of-read' } });

    expect(response.headers.get('retry-after')).toBe('5');
    const problem = await expectProblem(response, 503, 'database_unreachable');
    expect(JSON.stringify(problem)).not.toContain('127.0.0.1');
  },
);

test('/health answers within 4 seconds and a little, however long the driver looks for a database', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const patient = new MongoClient('mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=30000');
  onTestFinished(async () => {
    vi.useRealTimers();
    await patient.close();
  });
  const processor = new RemoteProcessor({ db: patient.db('x'), log: silent });
  const app = createApp({ processor, apiKeys, log: silent });

  let answer: Response | undefined;
  const asked = Promise.resolve(app.request('/health')).then((response) => {
    answer = response;
  });
  for (let waitedMs = 0; waitedMs < 5_000; waitedMs += 100) {
    await vi.advanceTimersByTimeAsync(100);
    await new Promise(setImmediate);
  }

  expect(answer?.status).toBe(503);
  await asked;
});

test('/health/live does not ask the database, and says whether a loop is stuck', async () => {
  let isAlive = true;
  const processor = new RemoteProcessor({ db: unreachable.db('x'), log: silent });
  const app = createApp({ processor, apiKeys, isAlive: () => isAlive, log: silent });

  const alive = await app.request('/health/live');
  isAlive = false;

  expect([alive.status, await alive.json()]).toEqual([200, { status: 'ok' }]);
  await expectProblem(await app.request('/health/live'), 503, 'loop_stuck');
});

test.each(['/v1/jobs', '/v1/queues', '/health'])(
  '%s without the indexes says that they were not made',
  async (path) => {
    await api.database.db.collection(collectionNames.jobs).dropIndexes();

    const problem = await expectProblem(await api.call(path), 500, 'index_missing');

    expect(problem.detail).toContain('ensure-indexes');
  },
);

test('a mistake of ours is told to the log, and to nobody else', async () => {
  const response = await api.call('/v1/jobs', { body: { name: 'echo', input: {} } });

  const problem = await expectProblem(response, 500, 'internal_error');
  expect(JSON.stringify(problem)).not.toMatch(/hunter2|\.ts/);
  expect(api.logged).toMatch(/hunter2.*failures\.test\.ts/);
});
