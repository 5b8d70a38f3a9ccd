/** What a drain makes of a database that fails it here and there. */
import { type CommandFailedEvent, type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../local/mongo/index.js';
import { LocalProcessor } from '../../local/processor.js';
import { defineJob, type LogFields } from '../../src/index.js';
import { isHeartbeat } from '../chaos/commands.js';
import { collectionNames } from '../collection-names.js';
import { expectCountedOnce } from '../counted-once.js';
import { silent } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, gatedJob } from '../jobs.js';

let mongo: EmbeddedMongo;
let client: MongoClient;

beforeAll(async () => {
  mongo = await startEmbeddedMongo();
  client = new MongoClient(mongo.uri, { monitorCommands: true });
  await client.connect();
});
afterEach(async () => {
  await fail('off', {});
  await client.db('drain').dropDatabase();
});
afterAll(async () => {
  await client.close(true);
  await mongo.stop();
});

/** Makes commands fail, or wait. */
const fail = (mode: Document | string, data: Document) =>
  client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });

/** Not one that says "try again later". */
const broken = { errorCode: 8000 };

/** A processor, and what it logs. */
async function setup(options = {}) {
  const logged: [message: string, fields: LogFields][] = [];
  const keep = (message: string, fields: LogFields = {}) => void logged.push([message, fields]);
  const log = { ...silent, info: keep, warn: keep };
  const processor = new LocalProcessor({ db: client.db('drain'), log, ...options });
  await processor.ensureIndexes();
  await processor.addJobFactory(echo);
  const fieldsOf = (message: string) => logged.find(([text]) => text === message)?.[1];
  return { processor, fieldsOf };
}

test('jobs of crashed workers that cannot be recovered do not keep it from others', async () => {
  const { processor, fieldsOf } = await setup();
  await processor.addJob('echo', {}, { id: 'lost' });
  await processor.pullNextJob();
  const jobs = client.db('drain').collection<{ _id: string }>(collectionNames.jobs);
  await jobs.updateOne({ _id: 'lost' }, { $set: { 'lease.expires': new Date(0) } });
  await processor.addJob('echo', {}, { id: 'other' });
  await fail('alwaysOn', { failCommands: ['aggregate'], ...broken });
  expect(await processor.drain()).toMatchObject({ claimed: 1, completed: 1 });
  expect(fieldsOf('Jobs of crashed workers could not be recovered')).toBeDefined();
  expect(await processor.getJobStatus('other')).toBe('completed');
  await fail('off', {});
  expect(await processor.drain()).toMatchObject({ claimed: 1, completed: 1 });
  expect(await processor.getJobStatus('lost')).toBe('completed');
});

test('a recovery that hangs does not keep it from stopping', async () => {
  const { processor } = await setup();
  await processor.addJob('echo', {});
  const answered: string[] = [];
  const listen = ({ commandName }: { commandName: string }) => void answered.push(commandName);
  await fail({ times: 1 }, { failCommands: ['aggregate'], blockConnection: true, blockTimeMS: 10_000 });
  const stop = new AbortController();
  const draining = processor.drain({ signal: stop.signal });
  client.on('commandSucceeded', listen);
  stop.abort();
  expect(await draining).toMatchObject({ claimed: 0, remaining: 1 });
  client.off('commandSucceeded', listen);
  // Which queues are paused, and what remains; the recovery has not answered yet.
  expect(answered).toEqual(['find', 'aggregate', 'aggregate']);
});

test('a job that becomes due while it looks for jobs is not overlooked', async () => {
  const { processor } = await setup();
  await processor.addJob('echo', {}, { delay: '1s' });
  // Of the next reads, one comes before that moment, and one after.
  await fail({ times: 3 }, { failCommands: ['aggregate', 'find'], blockConnection: true, blockTimeMS: 400 });
  expect(await processor.drain({ linger: '10s' })).toMatchObject({ claimed: 1, completed: 1 });
});

test('a claim that fails just when it is idle again is tried again', async () => {
  const { processor } = await setup({ maxThreads: 2 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  await processor.addJob('gated', undefined, { id: 'first' });
  const draining = processor.drain({ pollInterval: 20 });
  await eventually(() => expect(gate.arrived).toBe(1));
  const claims: string[] = [];
  const listen = ({ commandName }: { commandName: string }) => void claims.push(commandName);
  await fail({ times: 1 }, { failCommands: ['find'], blockConnection: true, blockTimeMS: 1_000, ...broken });
  client.on('commandStarted', listen);
  await eventually(() => expect(claims).toContain('find'));
  client.off('commandStarted', listen);
  gate.open();
  expect(await draining).toMatchObject({ claimed: 1, completed: 1 });
});

test('outcomes that cannot be written are counted as unsettled, and as nothing else', async () => {
  const { processor, fieldsOf } = await setup({ maxThreads: 2 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  for (let n = 0; n < 2; n += 1) await processor.addJob('gated', n);
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(2));
  await fail('alwaysOn', { failCommands: ['update', 'findAndModify'], ...broken });
  gate.open();
  const summary = await draining;
  expectCountedOnce(summary);
  expect(summary).toMatchObject({ claimed: 2, unsettled: 2, abandoned: 0 });
  expect(fieldsOf('Attempt ended')).toMatchObject({ outcome: 'unsettled' });
});

test('how long it takes to write an outcome is no part of how long the attempt took', async () => {
  const { processor, fieldsOf } = await setup();
  await processor.addJob('echo', {});
  const writingMs = 1_000;
  await fail(
    { times: 1 },
    { failCommands: ['findAndModify'], blockConnection: true, blockTimeMS: writingMs },
  );
  const began = performance.now();
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  const othersMs = performance.now() - began - writingMs;
  expect(fieldsOf('Attempt ended')?.durationMs).toBeLessThanOrEqual(Math.ceil(othersMs));
});

test('a database that is silent when it has stopped does not hold it up: what remains is not counted', async () => {
  const { processor, fieldsOf } = await setup();
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  await processor.addJob('gated');
  const stop = new AbortController();
  const draining = processor.drain({ signal: stop.signal });
  await eventually(() => expect(gate.arrived).toBe(1));
  await fail({ times: 1 }, { failCommands: ['aggregate'], blockConnection: true, blockTimeMS: 10_000 });
  stop.abort();
  expect(await draining).toMatchObject({ givenBack: 1, remaining: 0 });
  expect(fieldsOf('The remaining jobs could not be counted')).toBeDefined();
});

test('the time that a claim took is part of its leases: a job is told as soon as its lease may have expired', async () => {
  const { processor } = await setup({ lease: '3s' });
  const begun: AbortSignal[] = [];
  const lasting = defineJob({
    name: 'lasting',
    run: ({ signal }) => {
      begun.push(signal);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason.why)));
    },
  });
  await processor.addJobFactory(lasting);
  const id = await processor.addJob('lasting');
  // The first heartbeat comes a second after the claim's reply, and that is more than three after it was asked for.
  await fail({ times: 1 }, { failCommands: ['update'], blockConnection: true, blockTimeMS: 2_200 });
  const draining = processor.drain();
  await eventually(() => expect(begun).toHaveLength(1));
  const heartbeats: string[] = [];
  const count = ({ command, commandName }: CommandStartedEvent) => {
    if (command.update === collectionNames.jobs) heartbeats.push(commandName);
  };
  client.on('commandStarted', count);
  await fail('alwaysOn', { failCommands: ['update'], ...broken });
  expect(await draining).toMatchObject({ completed: 1 });
  client.off('commandStarted', count);
  expect(await processor.getJobResult(id)).toBe('lease lost');
  expect(heartbeats).toEqual([]);
});

test('while jobs wait, the next are claimed beside the write that settles the last, and no more than those', async () => {
  const { processor } = await setup({ maxThreads: 2 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  const ids = ['1', '2', '3', '4', '5', '6'];
  for (const id of ids) await processor.addJob('gated', undefined, { id });
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(2));
  const blockTimeMS = 900; // Less than after what a write is tried again.
  let arrivedWhenSettled = 0;
  client.on('commandSucceeded', ({ commandName, duration }) => {
    if (commandName === 'update' && duration >= blockTimeMS) arrivedWhenSettled = gate.arrived;
  });
  await fail({ times: 1 }, { failCommands: ['update'], blockConnection: true, blockTimeMS });
  gate.open();
  expect(await draining).toMatchObject({ claimed: 6, completed: 6 });
  expect(arrivedWhenSettled).toBe(4);
});

test('what a worker does not claim while its heartbeat is late, it claims once that has got through', async () => {
  const { processor } = await setup({ lease: '6s', maxThreads: 2 });
  const long = gatedJob('long');
  const short = gatedJob('short');
  await processor.addJobFactories([long.factory, short.factory]);
  for (const name of ['long', 'short']) await processor.addJob(name);
  const begun: number[] = [];
  const failed: number[] = [];
  const noteBegun = ({ command, requestId }: CommandStartedEvent) =>
    isHeartbeat(command) && begun.push(requestId);
  const noteFailed = ({ requestId }: CommandFailedEvent) => failed.push(requestId);
  client.on('commandStarted', noteBegun).on('commandFailed', noteFailed);
  const draining = processor.drain();
  await eventually(() => expect(long.gate.arrived + short.gate.arrived).toBe(2));
  const waiting = await processor.addJob('echo', {});
  await fail('alwaysOn', { failCommands: ['update'], ...broken });
  await eventually(() => expect(failed).toContain(begun[0]));
  await fail('alwaysOn', { failCommands: ['update'], blockConnection: true, blockTimeMS: 700 });
  await eventually(() => expect(begun).toHaveLength(2));
  short.gate.open();
  await fail('off', {});
  await eventually(async () => expect(await processor.getJobStatus(waiting)).toBe('completed'));
  long.gate.open();
  expect(await draining).toMatchObject({ completed: 3, givenBack: 0 });
  client.off('commandStarted', noteBegun).off('commandFailed', noteFailed);
});
