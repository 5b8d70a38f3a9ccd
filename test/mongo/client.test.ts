import { afterEach, expect, test } from 'vitest';
import { closeMongoClients, mongoClient, workerPoolSize } from '../../src/mongo/client.js';

afterEach(closeMongoClients);

const uri = 'mongodb://localhost:1/?replicaSet=rs0';

test('a container has one client per connection string', () => {
  expect(mongoClient(uri, 10)).toBe(mongoClient(uri, 10));
  expect(mongoClient(`${uri}&tls=true`, 10)).not.toBe(mongoClient(uri, 10));
});

test('the pool has room for the jobs and the processor, and an unreachable database is soon told', () => {
  expect(mongoClient(uri, 10).options).toMatchObject({
    appName: 'remote-processor',
    maxPoolSize: 10,
    serverSelectionTimeoutMS: 13_000,
  });
});

test('what the connection string sets wins', () => {
  const own = `${uri}&appName=mine&MAXPOOLSIZE=3&serverselectiontimeoutms=100`;

  expect(mongoClient(own, 10).options).toMatchObject({
    appName: 'mine',
    maxPoolSize: 3,
    serverSelectionTimeoutMS: 100,
    connectTimeoutMS: 5_000,
  });
});

test.each([
  [1, 6],
  [10, 15],
  [1000, 100],
])('a worker of %d threads has a pool of %d connections', (maxThreads, size) => {
  expect(workerPoolSize(maxThreads)).toBe(size);
});
