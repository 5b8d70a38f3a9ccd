/** What happens to jobs when the database fails, by MongoDB's own means of making commands fail. */
import { type Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../local/mongo/index.js';
import { LocalProcessor, type LocalProcessorOptions } from '../../local/processor.js';
import { defineJob, type LogFields } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import { collectionNames } from '../collection-names.js';
import { silent } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, gatedJob } from '../jobs.js';

let mongo: EmbeddedMongo;
let client: MongoClient;

beforeAll(async () => {
  mongo = await startEmbeddedMongo();
  // A driver that finds a connection broken looks for the server again, by default not before half a second.
  client = new MongoClient(mongo.uri, { socketTimeoutMS: 1_000, minHeartbeatFrequencyMS: 20 });
  await client.connect();
  await new LocalProcessor({ db: client.db('failing'), log: silent }).ensureIndexes();
});
afterEach(async () => {
  await fail('off', {});
  for (const collection of await client.db('failing').collections()) await collection.deleteMany({});
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

/** Makes commands fail. */
const fail = (mode: Document | string, data: Document) =>
  client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });

async function setup(options = {}) {
  const processor = new LocalProcessor({ db: client.db('failing'), log: silent, ...options });
  await processor.addJobFactory(echo);
  return processor;
}

/** Jobs that two workers, who have died, had claimed: one worker one of them, the other two. */
async function lostJobs(processor: LocalProcessor): Promise<void> {
  for (const id of ['a', 'b', 'c']) await processor.addJob('echo', {}, { id });
  for (const worker of ['dead', 'dead', 'dead too']) {
    const job = await processor.pullNextJob();
    const lease = { 'lease.worker': worker, 'lease.expires': new Date(0) };
    await jobs().updateOne({ _id: job?.id ?? '' }, { $set: lease });
  }
}

const jobs = () => client.db('failing').collection<JobDocument>(collectionNames.jobs);

const cut = { closeConnection: true };
const steppedDown = { errorCode: 10107 };
/** What MongoDB does not tell a client but in a transaction; others that speak its protocol do. */
const conflict = { errorCode: 112 };

describe.each([
  ['the connection is cut', cut],
  ['the primary steps down', steppedDown],
  ['a write has a conflict', conflict],
])('when %s', (_, failure) => {
  test('again and again while a job is added, it is added once', async () => {
    const processor = await setup();
    await fail({ times: 3 }, { failCommands: ['update'], ...failure });
    const id = await processor.addJob('echo', {}, { uniqueKey: 'a' });
    expect((await processor.getJobs()).map((job) => job.id)).toEqual([id]);
  });

  test('again and again while jobs are added, they are added once', async () => {
    const processor = await setup();
    await fail({ times: 3 }, { failCommands: ['update'], ...failure });
    const ids = await processor.addJobs([
      { name: 'echo', input: {}, options: { uniqueKey: 'a' } },
      { name: 'echo', input: {} },
    ]);
    expect((await processor.getJobs()).map((job) => job.id).toSorted()).toEqual(ids.toSorted());
  });

  test('while a job is added in a transaction of the caller, it is added once', async () => {
    const processor = await setup();
    await fail({ times: 1 }, { failCommands: ['update'], ...failure });
    await client.withSession((session) =>
      session.withTransaction(() => processor.addJob('echo', {}, { session })),
    );
    expect(await processor.getJobs()).toHaveLength(1);
  });

  test('while jobs are taken, none is lost, and none runs twice', async () => {
    const processor = await setup({ maxThreads: 5 });
    for (let n = 0; n < 5; n += 1) await processor.addJob('echo', { n });
    await fail({ times: 1 }, { failCommands: ['update'], ...failure });
    expect(await processor.drain()).toMatchObject({ completed: 5 });
    for (const job of await processor.getJobs())
      expect(job).toMatchObject({ status: 'completed', retryCounter: 1 });
  });

  test('again and again while jobs are settled, they are settled as soon as that is over', async () => {
    const processor = await setup({ maxThreads: 5 });
    const { gate, factory } = gatedJob();
    await processor.addJobFactory(factory);
    for (let n = 0; n < 5; n += 1) await processor.addJob('gated', n);
    const draining = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(5));
    await fail({ times: 6 }, { failCommands: ['update', 'find'], ...failure });
    gate.open();
    expect(await draining).toMatchObject({ completed: 5 });
    for (const job of await processor.getJobs())
      expect(job).toMatchObject({ status: 'completed', retryCounter: 1 });
  });

  test('while a lone job is settled, it is settled once', async () => {
    const processor = await setup();
    await processor.addJob('echo', {}, { id: 'a' });
    await fail({ times: 3 }, { failCommands: ['findAndModify'], ...failure });
    expect(await processor.drain()).toMatchObject({ completed: 1, stale: 0 });
  });

  test.each(['aggregate', 'distinct', 'update', 'commitTransaction'])(
    'at the %s of a recovery, each lost attempt is ended once',
    async (command) => {
      const processor = await setup();
      await lostJobs(processor);
      await fail({ times: 2 }, { failCommands: [command], ...failure });
      expect(await processor.recoverJobs()).toBe(3);
      const found = await jobs().find().toArray();
      for (const { status, errors, retryCounter, runAlone } of found) {
        expect({ status, errors: errors.length }).toEqual({ status: 'queued', errors: 1 });
        expect(retryCounter).toBe(errors[0]?.message.includes('dead too') ? 1 : 0);
        expect(runAlone).toBe(true);
      }
    },
  );

  test('during a heartbeat, the jobs run on', async () => {
    const processor = await setup({ lease: '1s', maxThreads: 2 });
    const { gate, factory } = gatedJob();
    await processor.addJobFactory(factory);
    for (let n = 0; n < 2; n += 1) await processor.addJob('gated', n);
    const draining = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(2));
    const before = await processor.getJobs();
    await fail({ times: 1 }, { failCommands: ['update'], ...failure });
    await eventually(async () => {
      const renewed = (await processor.getJobs()).map(({ lease }) => Number(lease?.expires));
      expect(Math.min(...renewed)).toBeGreaterThan(
        Math.max(...before.map(({ lease }) => Number(lease?.expires))),
      );
    });
    gate.open();
    expect(await draining).toMatchObject({ completed: 2, stale: 0 });
  });

  test('while an item is fired, it makes one job', async () => {
    const processor = await setup();
    await processor.addScheduler({
      type: 'Delay',
      delay: '1h',
      jobName: 'echo',
      input: {},
      active: true,
      id: 'tick',
    });
    for (const command of ['aggregate', 'update', 'commitTransaction']) {
      await client
        .db('failing')
        .collection<{ _id: string }>(collectionNames.scheduler)
        .updateOne({ _id: 'tick' }, { $set: { nextCallTime: new Date() } });
      await fail({ times: 1 }, { failCommands: [command], ...failure });
      await eventually(async () => expect(await processor.scheduleDueItems()).toHaveLength(1));
    }
    expect(await processor.getJobs()).toHaveLength(3);
  });
});

describe('when the answer to a write that was applied is lost', () => {
  test('a job that was settled is known by its token, not taken for stale', async () => {
    const processor = await setup();
    await processor.addJob('echo', {}, { id: 'a' });
    await fail({ times: 2 }, { failCommands: ['findAndModify'], blockConnection: true, blockTimeMS: 1_050 });
    expect(await processor.drain()).toMatchObject({ completed: 1, stale: 0 });
  });
});

test('a settle that cannot be written while the lease lasts is given up and logged, and the job is recovered', async () => {
  const errors: [string, LogFields | undefined][] = [];
  const log = { ...silent, error: (message: string, fields?: LogFields) => errors.push([message, fields]) };
  const processor = await setup({ lease: '1s', log });
  await processor.addJob('echo', {}, { id: 'a' });
  await fail('alwaysOn', { failCommands: ['findAndModify'], ...steppedDown });
  const began = performance.now();
  expect(await processor.drain()).toMatchObject({ claimed: 1, completed: 0, unsettled: 1 });
  expect(performance.now() - began).toBeLessThan(9_000);
  const [[message, fields] = []] = errors.filter(([, { jobId } = {}]) => jobId === 'a');
  expect(message).toContain('An outcome could not be written');
  expect(fields?.error).toBeTypeOf('string');
  await fail('off', {});
  await eventually(async () => {
    await processor.drain();
    expect(await processor.getJobStatus('a')).toBe('completed');
  });
  expect(await processor.getJobErrors('a')).toEqual([expect.stringContaining('lost its lease')]);
});

test('a database that is silent when a job is settled holds up its worker for no longer than a lease', async () => {
  const processor = withPatientClient({ lease: '1s' });
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { id: 'a' });
  await fail({ times: 1 }, { failCommands: ['findAndModify'], blockConnection: true, blockTimeMS: 10_000 });
  const began = performance.now();
  expect(await processor.drain()).toMatchObject({ claimed: 1, completed: 0 });
  expect(performance.now() - began).toBeLessThan(9_000);
});

/** A processor on a client of somebody's own, that waits for answers without end. */
function withPatientClient(options: Partial<LocalProcessorOptions> = {}): LocalProcessor {
  const patient = new MongoClient(mongo.uri);
  onTestFinished(() => patient.close(true));
  return new LocalProcessor({ db: patient.db('failing'), log: silent, ...options });
}

test('an outcome whose connection dies without a word is written by another, and holds up no other for long', async () => {
  const processor = withPatientClient({ maxThreads: 2 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactories([echo, factory]);
  await processor.addJob('echo', {}, { id: 'a' });
  await processor.addJob('gated', 1, { id: 'b' });
  await fail({ times: 1 }, { failCommands: ['findAndModify'], blockConnection: true, blockTimeMS: 60_000 });
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(1));
  gate.open();
  expect(await draining).toMatchObject({ claimed: 2, completed: 2, unsettled: 0 });
});

test('a claim that is not answered for as long as a lease is given up, and gives back what it takes late', async () => {
  const processor = withPatientClient({ maxThreads: 1, lease: '1s' });
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { id: 'a' });
  await fail({ times: 1 }, { failCommands: ['findAndModify'], blockConnection: true, blockTimeMS: 2_000 });
  await expect(processor.drain()).rejects.toThrow('did not answer within 1000 ms');
  expect(await processor.getJob('a')).toMatchObject({ status: 'queued', givenBackCounter: 0 });
  await eventually(async () => {
    const job = await processor.getJob('a');
    expect(job).toMatchObject({ status: 'queued', retryCounter: 0, givenBackCounter: 1, errors: [] });
  });
});

test('a recovery that is not answered does not keep a worker from its jobs', async () => {
  const processor = withPatientClient();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  await fail({ times: 1 }, { failCommands: ['aggregate'], blockConnection: true, blockTimeMS: 60_000 });
  expect(await processor.drain()).toMatchObject({ completed: 1 });
});

test('whether a job will be due soon is not waited for when that is not answered', async () => {
  const processor = withPatientClient({ maxThreads: 1, lease: '1s' });
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  await fail({ times: 1 }, { failCommands: ['find'], blockConnection: true, blockTimeMS: 60_000 });
  expect(await processor.drain({ linger: '10s' })).toMatchObject({ completed: 1 });
});

test('an invocation whose last claim fails tells what it did before', async () => {
  const processor = await setup({ maxThreads: 2 });
  const last = defineJob({
    name: 'last',
    run: async () => void (await fail('alwaysOn', { failCommands: ['find'], ...steppedDown })),
  });
  await processor.addJobFactory(last);
  await processor.addJob('last');
  expect(await processor.drain()).toMatchObject({ claimed: 1, completed: 1 });
  await expect(processor.drain()).rejects.toThrow();
});

test('a database that is not there is an error of the invocation, in time', async () => {
  const gone = await startEmbeddedMongo();
  const lonely = new MongoClient(gone.uri, { serverSelectionTimeoutMS: 1_000 });
  const processor = new LocalProcessor({ db: lonely.db('x'), log: silent });
  await processor.addJobFactory(echo);
  await gone.stop();
  await expect(processor.addJobFactory(echo)).rejects.toThrow();
  await expect(processor.drain()).rejects.toThrow();
  await lonely.close();
});

test.each([
  [
    'is tried again by the next attempt, with none of its tries used up',
    { retry: { attempts: 1 } },
    undefined,
  ],
  ['is interrupted, if it may run only once', { atMostOnce: true }, 'step_interrupted'],
])('a step that ended while the database was away for longer than the lease %s', async (_, options, code) => {
  const thrown: unknown[] = [];
  const job = defineJob({
    name: 'away',
    retryDelay: 0,
    run: async ({ step }) => {
      try {
        await step.run('charge', options, async () => {
          if (thrown.length === 0)
            await fail('alwaysOn', { failCommands: ['update', 'findAndModify'], ...cut });
        });
      } catch (error) {
        thrown.push(codeOf(error));
        await fail('off', {});
        if (thrown.length === 1) throw error;
      }
    },
  });
  const processor = await setup({ lease: '1s', maxThreads: 1 });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  await eventually(async () => {
    await processor.drain();
    expect(await processor.getJobStatus(id)).toBe('completed');
  });
  expect(thrown).toEqual(['attempt_aborted', ...(code ? [code] : [])]);
});

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : error;
}
