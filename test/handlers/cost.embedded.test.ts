/** What a deployment costs, and how soon its jobs begin: the real functions, in Lambda and SQS as a model has them. */
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createKick, createSchedulerHandler, createWorkerHandler } from '../../handlers/lambda.js';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../local/mongo/index.js';
import { defineJob, RemoteProcessor } from '../../src/index.js';
import { closeMongoClients } from '../../src/mongo/client.js';
import { silent } from '../database.js';
import { EmulatedFunction, EmulatedQueue, ModelTime } from './emulated-lambda.js';
import { everyMinute } from './events.js';
import { useLambdaService } from './lambda-service.js';
import { SqsService } from './sqs-service.js';

useLambdaService(); // For the region and the credentials; nobody is invoked by it.

const MINUTE_MS = 60_000;
const MINUTES = 2;
const MONTH_MINUTES = 30 * 24 * 60;
const WORKER_GB = 1;
const SCHEDULER_GB = 0.5;
const JOB_MS = 300;
const RETRY_DELAY_MS = 10_000;

/** What happens in a deployment. */
interface Load {
  /** Whether there is a schedule of one job a minute. */
  readonly schedule?: boolean;
  /** A job is posted this often. */
  readonly postEveryMs?: number;
  /** So many are posted together, in the second minute. */
  readonly burst?: number;
  /** Every so manieth job fails at its first attempt. */
  readonly failEvery?: number;
  readonly maxWorkers?: number;
}

let now = 0;
let mongo: EmbeddedMongo;
let client: MongoClient;
let sqs: SqsService;
beforeAll(async () => {
  mongo = await startEmbeddedMongo({ clock: () => now });
  client = await new MongoClient(mongo.uri).connect();
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  sqs = new SqsService();
  await sqs.start();
});
afterEach(async () => {
  vi.useRealTimers();
  await sqs.stop();
  await client.db('model').dropDatabase();
});
afterAll(async () => {
  await closeMongoClients();
  await client.close();
  await mongo.stop();
});

const claimedOf = (result: unknown) => z.object({ claimed: z.number() }).parse(result).claimed;

/** A kick that was given up, since this machine is busy, is no part of the model: then all is done again. */
async function simulate(load: Load) {
  for (;;) {
    const { kicksGivenUp, ...found } = await simulateOnce(load);
    if (kicksGivenUp === 0) return found;
    await client.db('model').dropDatabase();
  }
}

async function simulateOnce(load: Load) {
  let kicksGivenUp = 0;
  const warn = (message: string) => {
    if (message.startsWith('The kick failed')) kicksGivenUp += 1;
  };
  const log = { ...silent, warn };
  const { schedule = false, postEveryMs, burst = 0, failEvery = 0, maxWorkers = 10 } = load;
  const start = Date.UTC(2026, 0, 31, 9);
  const time = new ModelTime(start, (moment) => {
    now = moment;
    vi.setSystemTime(moment);
  });
  const job = defineJob({
    name: 'job',
    input: z.object({ fails: z.boolean().optional() }),
    retryDelay: RETRY_DELAY_MS,
    run: ({ input, attempt }) => {
      if (input.fails && attempt === 1) throw new Error('not this time');
    },
  });
  const env = {
    MONGODB_URI: mongo.uri,
    MONGODB_DATABASE: 'model',
    MAX_WORKERS: `${maxWorkers}`,
    WAKE_UP_QUEUE_URL: sqs.queueUrl,
  };
  const options = { jobs: [job], env, log, publishMetrics: () => {} };
  const worker = new EmulatedFunction(
    time,
    () => createWorkerHandler(options),
    (result) => (claimedOf(result) > 0 ? JOB_MS : 0), // Those of one invocation run beside each other.
  );
  const scheduler = new EmulatedFunction(
    time,
    () => createSchedulerHandler(options),
    () => 20,
  );
  const queue = new EmulatedQueue(time, worker, Math.max(2, maxWorkers));
  sqs.onMessage = queue.send;

  const producer = new RemoteProcessor({
    db: client.db('model'),
    kick: createKick({ queueUrl: sqs.queueUrl, log }),
    log,
  });
  await producer.ensureIndexes();
  await producer.addJobFactory(job);
  if (schedule)
    await producer.addScheduler({
      type: 'Cron',
      cron: '* * * * *',
      jobName: 'job',
      input: {},
      active: true,
    });
  // Containers start in the minute before, which does not count: over a month that is nothing.
  time.plan(MINUTE_MS, () => {
    for (const each of [worker, scheduler]) each.forgetBill();
  });
  for (let minute = 0; minute <= MINUTES; minute += 1) {
    time.plan(minute * MINUTE_MS + 23_456, () => scheduler.invoke(everyMinute));
    time.plan(minute * MINUTE_MS + 41_789, () => queue.send({ body: '{"wakeUp":{}}', delaySeconds: 0 }));
  }
  let posted = 0;
  const post = async () => {
    posted += 1;
    await producer.addJob('job', failEvery > 0 && posted % failEvery === 0 ? { fails: true } : {});
  };
  if (postEveryMs)
    for (let ms = 1_234; ms < MINUTES * MINUTE_MS; ms += postEveryMs) time.plan(MINUTE_MS + ms, post);
  for (let n = 0; n < burst; n += 1) time.plan(2 * MINUTE_MS + n * 10, post);

  await time.runUntil(start + (MINUTES + 1) * MINUTE_MS);
  await time.runUntil(start + (MINUTES + 2) * MINUTE_MS); // What is under way ends.

  const jobs = await producer.getJobs({ limit: 1000 });
  const begun = jobs.flatMap(({ started, runAt }) => (started ? [started.getTime() - runAt.getTime()] : []));
  const late = begun.toSorted((a, b) => a - b);
  const attempts = jobs.reduce((sum, { retryCounter }) => sum + retryCounter, 0);
  const gbSeconds = (worker.billedMs * WORKER_GB + scheduler.billedMs * SCHEDULER_GB) / 1000;
  return {
    kicksGivenUp,
    jobs: jobs.length,
    waiting: jobs.filter(({ status }) => status !== 'completed').length,
    workers: worker.invocations,
    mostAtATime: worker.mostAtATime,
    gbSecondsAMonth: Math.round((gbSeconds / MINUTES) * MONTH_MINUTES),
    workAMonth: Math.round(((attempts * JOB_MS * WORKER_GB) / 1000 / MINUTES) * MONTH_MINUTES),
    p50: late[Math.floor(late.length * 0.5)] ?? 0,
    p99: late[Math.floor(late.length * 0.99)] ?? 0,
  };
}

/** Two invocations a minute that find nothing. */
const IDLE_A_MONTH = MONTH_MINUTES * (0.03 * WORKER_GB + 0.05 * SCHEDULER_GB);

test.each<[what: string, Load]>([
  ['idle', {}],
  ['one schedule a minute', { schedule: true }],
  ['one schedule a minute, and a POST each 2.5 s', { schedule: true, postEveryMs: 2_500 }],
  [
    'the same with MAX_WORKERS 2, and one job in eight failing once',
    { schedule: true, postEveryMs: 2_500, failEvery: 8, maxWorkers: 2 },
  ],
])('%s: costs little more than its work, and jobs begin soon', async (what, load) => {
  const found = await simulate(load);

  console.log(what, found);
  expect(found.waiting).toBe(0);
  expect(found.gbSecondsAMonth).toBeLessThanOrEqual(1.3 * (found.workAMonth + IDLE_A_MONTH));
  expect(found.p99).toBeLessThan(1_500);
});

test('24 POSTs at once start as many workers as may run, and no more', async () => {
  const found = await simulate({ burst: 24, maxWorkers: 2 });

  console.log('24 POSTs at once', found);
  expect(found).toMatchObject({ jobs: 24, waiting: 0 });
  expect(found.mostAtATime).toBeLessThanOrEqual(2);
  expect(found.p99).toBeLessThan(1_500);
});
