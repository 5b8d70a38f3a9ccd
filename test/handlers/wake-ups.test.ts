import { afterEach, beforeEach, expect, test } from 'vitest';
import { Arrivals } from '../../handlers/arrivals.js';
import { createKick } from '../../handlers/kick.js';
import { createHttpHandler, createSchedulerHandler, createWorkerHandler } from '../../handlers/lambda.js';
import { MAX_KICK_DEPTH, readWakeUp, wakeUpBody } from '../../handlers/wake-up-event.js';
import { defineJob } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, gatedJob } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf, everyMinute, httpEvent } from './events.js';
import { useLambdaService } from './lambda-service.js';
import { queueEvent, SqsService } from './sqs-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

let sqs = new SqsService();
beforeEach(async () => {
  sqs = new SqsService();
  await sqs.start();
});
afterEach(() => sqs.stop());

const kickBody = wakeUpBody({ depth: 0, workers: 1 });
const tickBody = '{"wakeUp":{}}';

function deployment(jobs: readonly Parameters<typeof deploymentOf>[2][number][], env = {}) {
  return deploymentOf(database, lambda(), jobs, { WAKE_UP_QUEUE_URL: sqs.queueUrl, ...env });
}

function kickOf(warnings: string[] = []) {
  const log = { ...silent, warn: (message: string) => void warnings.push(message) };
  return createKick({ queueUrl: sqs.queueUrl, limits: { maxThreads: 10, maxWorkers: 4 }, log });
}

test.each([
  [{ depth: 0, workers: 1 }, undefined],
  [{ depth: MAX_KICK_DEPTH, workers: 1000 }, undefined],
  [{ workers: 1 }, tickBody],
])('a worker reads what is sent to it: %j', (wakeUp, body = wakeUpBody(wakeUp)) => {
  expect(readWakeUp(queueEvent(body))).toEqual(wakeUp);
});

test('messages that come together ask for as many workers as one of them, and count as a tick if one is', () => {
  const bodies = [wakeUpBody({ depth: 3, workers: 1 }), wakeUpBody({ depth: 1, workers: 4 })];
  expect(readWakeUp(queueEvent(...bodies))).toEqual({ depth: 3, workers: 4 });
  expect(readWakeUp(queueEvent(...bodies, tickBody))).toEqual({ workers: 4 });
});

test.each([
  ['the tick of EventBridge', everyMinute],
  ['a kick by invocation', { kick: { depth: 0 } }],
  ['no messages', queueEvent()],
  ['a message of somebody else', queueEvent('{"name":"echo"}')],
  ['one of somebody else among ours', queueEvent(kickBody, '{"name":"echo"}')],
  ['text', queueEvent('hello')],
  ['too deep a kick', queueEvent('{"wakeUp":{"depth":51}}')],
  ['a record of another service', { Records: [{ eventSource: 'aws:s3', body: kickBody }] }],
  ['nothing', undefined],
])('%s is no wake-up', (_, event) => {
  expect(readWakeUp(event)).toBeUndefined();
});

test('a kick is one message, whatever it asks for', async () => {
  await kickOf()({ jobs: 100_000, dueInMs: [] });
  await kickOf()({ depth: 7 });
  const bodies = [wakeUpBody({ depth: 0, workers: 4 }), wakeUpBody({ depth: 7, workers: 1 })];
  expect(sqs.messages).toEqual(bodies.map((body) => ({ body, delaySeconds: 0 })));
  expect(lambda().invocations).toEqual([]);
});

test('jobs that are due later are met within the second after, and those of one second by one message', async () => {
  const kick = kickOf();
  await kick({ jobs: 0, dueInMs: [10_000, 10_200, 10_300, 14 * 60_000, 10_000] });
  await kick({ jobs: 0, dueInMs: [10_100] });
  expect(sqs.delays).toEqual([11, 841]);
});

test('no message is put off for longer than SQS can, and none is sent for what is further ahead', async () => {
  const warnings: string[] = [];
  await kickOf(warnings)({ jobs: 0, dueInMs: [900_001, 3_600_000] });
  expect(sqs.delays).toEqual([]);
  await kickOf(warnings)({ jobs: 0, dueInMs: [900_000] });
  expect(sqs.delays).toEqual([900]);
  expect(warnings).toEqual([]);
});

test('all seconds of a minute fit into few requests', async () => {
  await kickOf()({ jobs: 0, dueInMs: Array.from({ length: 6000 }, (_, n) => n * 10 + 1) });
  expect(sqs.delays.length).toBeLessThanOrEqual(61);
  expect(new Set(sqs.delays).size).toBe(sqs.delays.length);
  expect(sqs.requests).toBeLessThanOrEqual(7);
});

test('a wake-up that could not be sent is sent with the next', async () => {
  const warnings: string[] = [];
  const kick = kickOf(warnings);
  sqs.answer = 500;
  await kick({ jobs: 0, dueInMs: [10_000] });
  expect(warnings).toHaveLength(1);
  sqs.answer = 200;
  await eventually(async () => {
    await kick({ jobs: 0, dueInMs: [10_000] });
    expect(sqs.delays).toEqual([11]);
  });
});

test('each moment has a wake-up within a second after it, whenever it is asked for', () => {
  let now = 1_700_000_000_123;
  const arrivals = new Arrivals(() => now);
  const arriving: number[] = [];
  const due: number[] = [];
  for (let n = 0; n < 2000; n += 1) {
    const ms = (n * 7919) % 60_000;
    due.push(now + ms);
    arriving.push(...arrivals.add([ms]).map((seconds) => now + seconds * 1000));
    now += 37;
  }
  for (const moment of due)
    expect(arriving.some((arrival) => arrival > moment && arrival <= moment + 1_100)).toBe(true);
  expect(arriving.length).toBeLessThan(300); // Of 134 seconds, each of which may need two.
});

test('over HTTP a job is kicked for through the queue, and a delayed one is met at its moment', async () => {
  const handler = createHttpHandler(deployment([echo]));
  const headers = { authorization: 'Bearer the-key', 'content-type': 'application/json' };
  for (const options of [{}, { delay: '5m' }, { delay: '1h' }]) {
    const body = JSON.stringify({ name: 'echo', input: {}, options });
    const answer = await handler(httpEvent('POST', '/v1/jobs', { headers, body }), contextOf(29_000));
    expect(answer.statusCode).toBe(202);
  }
  expect(sqs.delays).toEqual([0, 301]);
});

test('a scheduler asks for the moments of what it makes ahead, and of jobs that were queued long before', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const at = (seconds: number) => new Date(Date.now() + seconds * 1000);
  await processor.addScheduler({ type: 'At', at: at(40), jobName: 'echo', input: {}, active: true });
  await processor.addScheduler({ type: 'At', at: at(300), jobName: 'echo', input: {}, active: true });
  const old = await processor.addJob('echo', {}, { runAt: at(20) });
  await processor.addJob('echo', {}, { runAt: at(600) });
  await processor.addJob('echo', {}, { delay: '30s' }); // Whoever added it has asked.
  const hourAgo = { $subtract: ['$queued', 3_600_000] };
  await database.collections().jobs.updateOne({ _id: old }, [{ $set: { queued: hourAgo } }]);
  const handler = createSchedulerHandler(deployment([echo]));

  expect(await handler(everyMinute, contextOf(60_000))).toEqual({ made: 1 });
  await handler(everyMinute, contextOf(60_000));

  // Once each, or twice where the machine stood still between two looks at the clock.
  expect(new Set(sqs.delays.map((seconds) => Math.round(seconds / 20) * 20))).toEqual(new Set([20, 40]));
});

test('a worker asks for the moment at which a job is tried again', async () => {
  const flaky = defineJob({
    name: 'flaky',
    retryDelay: '10s',
    run: () => {
      throw new Error('not yet');
    },
  });
  const processor = database.processor();
  await processor.addJobFactory(flaky);
  await processor.addJobs([1, 2, 3].map(() => ({ name: 'flaky' })));
  const handler = createWorkerHandler(deployment([flaky]));

  const result = await handler(queueEvent(kickBody), contextOf(60_000));

  expect(result).toMatchObject({ retried: 3, batchItemFailures: [] });
  expect(sqs.delays.length).toBeLessThanOrEqual(2);
  expect(sqs.delays[0]).toBe(11);
});

test('a worker that was asked for with others starts the next, one that is not needed does not', async () => {
  const handler = createWorkerHandler(deployment([echo], { MAX_WORKERS: '1' }));
  const asked = queueEvent(wakeUpBody({ depth: 2, workers: 4 }));

  await handler(asked, contextOf(60_000));
  expect(sqs.messages.map(({ body }) => body)).toEqual([wakeUpBody({ depth: 2, workers: 3 })]);

  const live = { _id: 'live', processor: 'root', maxThreads: 1, started: new Date() };
  await database.collections().workers.insertOne({ ...live, expires: new Date(Date.now() + 60_000) });
  await handler(asked, contextOf(60_000));
  expect(sqs.messages).toHaveLength(1);
});

test('the tick works though as many run as may, and a worker that runs out of time asks for the next', async () => {
  const { factory } = gatedJob();
  const processor = database.processor();
  await processor.addJobFactory(factory);
  await processor.addJob(factory, 1);
  const live = {
    processor: 'root',
    maxThreads: 1,
    started: new Date(),
    expires: new Date(Date.now() + 60_000),
  };
  await database.collections().workers.insertMany(['one', 'two'].map((_id) => ({ ...live, _id })));
  const handler = createWorkerHandler(deployment([factory], { MAX_WORKERS: '2' }));

  expect(await handler(queueEvent(kickBody), contextOf(3_000))).toMatchObject({ claimed: 0 });
  expect(await handler(queueEvent(tickBody), contextOf(3_000))).toMatchObject({ claimed: 1, remaining: 1 });

  expect(sqs.messages.map(({ body }) => body)).toEqual([wakeUpBody({ depth: 1, workers: 1 })]);
});

test('where one worker may run, of which AWS makes two, not even the tick is a second; it works once the first is gone', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  const { workers } = database.collections();
  const live = { _id: 'live', processor: 'root', maxThreads: 1, started: new Date() };
  await workers.insertOne({ ...live, expires: new Date(Date.now() + 60_000) });
  const handler = createWorkerHandler(deployment([echo], { MAX_WORKERS: '1' }));

  for (const body of [kickBody, tickBody])
    expect(await handler(queueEvent(body), contextOf(60_000))).toMatchObject({ claimed: 0 });

  await workers.updateOne({ _id: 'live' }, { $set: { expires: new Date(1) } });
  expect(await handler(queueEvent(tickBody), contextOf(60_000))).toMatchObject({ completed: 1 });
});
