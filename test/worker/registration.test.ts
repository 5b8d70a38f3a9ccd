import { expect, test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, gatedJob } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

test('an invocation that lasts is seen while it does, under the name in its leases', async () => {
  const { factory, gate } = gatedJob();
  const processor = database.processor({ name: 'mine', maxThreads: 3, queues: ['default'], lease: '2s' });
  await processor.addJobFactory(factory);
  const id = await processor.addJob(factory, 1);
  const draining = processor.drain();
  await eventually(async () => expect((await processor.workers.list()).workers).toHaveLength(1));

  const [worker] = (await processor.workers.list()).workers;
  expect(worker).toMatchObject({ processor: 'mine', maxThreads: 3, queues: ['default'] });
  expect(worker?.id).toBe((await processor.getJob(id))?.lease?.worker);
  expect(await processor.workers.count()).toBe(1);
  await eventually(async () => {
    const [renewed] = (await processor.workers.list()).workers;
    expect(Number(renewed?.expires)).toBeGreaterThan(Number(worker?.expires));
    expect(renewed?.started).toEqual(worker?.started);
  });

  gate.open();
  await draining;
  expect((await processor.workers.list()).workers).toEqual([]);
  expect(await database.db.collection(collectionNames.workers).countDocuments()).toBe(0);
});

test('one that finds nothing leaves no trace, and costs no command', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const commands = await database.commandsDuring(() => processor.drain());
  const collections = commands.map(({ command, commandName }) => command[commandName]);
  expect(collections).not.toContain(collectionNames.workers);
});

test('one whose lease has expired is not seen', async () => {
  const processor = database.processor();
  await database.db.collection(collectionNames.workers).insertOne({ expires: new Date(Date.now() - 60_000) });
  expect((await processor.workers.list()).workers).toEqual([]);
  expect(await processor.workers.count()).toBe(0);
});

test('jobs that are ready are counted up to a limit', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJobs(Array.from({ length: 12 }, () => ({ name: 'echo', input: {} })));
  await processor.addJob('echo', {}, { delay: '1h' });
  expect(await processor.jobs.countReady()).toBe(12);
  expect(await processor.jobs.countReady(10)).toBe(10);
});
