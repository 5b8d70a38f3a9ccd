import { access } from 'node:fs/promises';
import { MongoClient, ObjectId } from 'mongodb';
import { expect, onTestFinished, test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { Meter } from './child/meter.js';
import { Runs } from './child/runs.js';
import { remoteProcessor } from './contenders/remote-processor.js';
import { copyJob } from './copy-job.js';
import { ExplainingRelay } from './explaining-relay.js';
import { Results } from './results.js';
import { withPrivateServer } from './servers/private-server.js';
import { formatTable } from './table.js';

const database = useDatabase();

/** A worker of this project on the test's database, 20 jobs at a time, as the benchmark runs it. */
async function openQueue() {
  const runs = new Runs({ jobMs: [0, 0], doesReturn: false });
  const { uri, name } = database;
  const queue = await remoteProcessor.open({
    uri,
    database: name,
    concurrency: 20,
    wakeUp: 'none',
    run: runs.run,
  });
  onTestFinished(() => queue.close());
  return { queue, runs, meter: new Meter(queue.client) };
}

test('20 at a time, a job that does nothing costs at most 0.3 commands from claim to settled', async () => {
  const { queue, runs, meter } = await openQueue();
  const jobs = 400;
  await queue.addOne(0);
  await copyJob(database.db, remoteProcessor.storage, jobs - 1);
  meter.begin();
  const stop = await queue.work();
  await eventually(() => expect(runs.count).toBe(jobs));
  await stop();
  expect(await database.db.collection(collectionNames.jobs).countDocuments({ status: 'completed' })).toBe(
    jobs,
  );
  expect(meter.commandCount).toBeGreaterThan(0);
  expect(meter.commandCount / jobs).toBeLessThanOrEqual(0.3);
});

test('the relay passes commands on, and tells what they examine', async () => {
  const jobs = database.db.collection(collectionNames.jobs);
  const _id = new ObjectId();
  await jobs.insertMany([{ _id, n: 0 }, ...Array.from({ length: 49 }, (_, index) => ({ n: index + 1 }))]);
  const relay = await ExplainingRelay.start(database);
  const client = new MongoClient(relay.uri);
  onTestFinished(async () => {
    await client.close();
    await relay.close();
  });
  const relayed = client.db(database.name).collection(collectionNames.jobs);
  expect(await relayed.find({ n: 7 }).toArray()).toHaveLength(1);
  expect(relay.examined).toEqual({ documents: 50, keys: 0 });
  const write = { updateOne: { filter: { _id }, update: { $set: { n: -1 } } } };
  await relayed.bulkWrite([write, write]);
  expect(relay.examined).toEqual({ documents: 52, keys: 2 });
  expect(await jobs.countDocuments({ n: -1 })).toBe(1);
});

test('the table claims no difference that is below the noise', () => {
  const results = new Results();
  const speed = { under: 'Speed', name: 'jobs/s', better: 'more' } as const;
  for (const value of [100, 104]) results.add(speed, 'remote-processor', value);
  for (const value of [20, 26]) results.add(speed, 'agenda', value);
  for (const value of [96, 95]) results.add(speed, 'mongo-jobs', value);
  results.addRepeat(100, 110);
  const row = formatTable(results)
    .split('\n')
    .find((line) => line.includes('jobs/s'));
  expect(row?.split('|').map((cell) => cell.trim())).toEqual([
    '',
    'jobs/s',
    '102 ±2 %',
    '23 ±13 % (4.5×)',
    '96 ±1 % (≈)',
    '–',
    '',
  ]);
});

test('libraries on databases of another kind stand in a table of their own, and one left out is told', () => {
  const results = new Results();
  results.add({ under: 'Drain', name: 'jobs/s', better: 'more' }, 'floor', 1);
  for (const name of ['remote-processor', 'bullmq'] as const)
    results.add({ under: 'Beside', name: 'jobs/s', better: 'more' }, name, name === 'bullmq' ? 50 : 100);
  results.leftOut.push('Graphile Worker is left out.');
  const table = formatTable(results);
  const rows = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  expect(rows.filter((cells) => cells[1] === 'jobs/s').map((cells) => cells.slice(2, -1))).toEqual([
    ['–', '–', '–', '1'],
    ['100', '50 (2.0×)', '–', '–'],
  ]);
  expect(rows.filter((cells) => cells[1] === '').map((cells) => cells.slice(2, -1))).toEqual([
    ['Remote Processor', 'Agenda 6', 'mongo-jobs', 'floor'],
    ['Remote Processor', 'BullMQ', 'Graphile Worker', 'pg-boss'],
  ]);
  expect(table).toContain('\nGraphile Worker is left out.');
});

test('a server for a run of the benchmark that does not start is told, and leaves no folder behind', async () => {
  let folder = '';
  const server = {
    command: process.execPath,
    readyText: 'ready',
    prepare: async (its: string) => {
      folder = its;
      return { args: ['--eval', 'process.exit(3)'] };
    },
  };
  await expect(withPrivateServer(server, async () => {})).rejects.toThrow('ended with 3');
  await expect(access(folder)).rejects.toMatchObject({ code: 'ENOENT' });
});
