import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createSchedulerHandler, type Metric } from '../../handlers/lambda.js';
import { defineJob, type LogFields } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { anything, echo } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf, everyMinute } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

test('a scheduler makes the jobs of due items and kicks the worker once', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  for (const id of ['one', 'two']) {
    await processor.addScheduler({
      type: 'Delay',
      id,
      jobName: 'echo',
      input: { id },
      delay: '1h',
      active: true,
    });
  }
  // Half an hour ago, and so again in half an hour: neither is near.
  const halfAnHourAgo = { $subtract: ['$$NOW', 30 * 60_000] };
  await database.db
    .collection(collectionNames.scheduler)
    .updateMany({}, [{ $set: { nextCallTime: halfAnHourAgo } }]);
  const handler = createSchedulerHandler(deploymentOf(database, lambda(), [echo]));

  const result = await handler(everyMinute, contextOf(60_000));

  expect(result).toEqual({ made: 2 });
  expect(await processor.getJobs({ status: 'queued' })).toHaveLength(2);
  expect(lambda().invocations).toMatchObject([{ type: 'Event', payload: { kick: { depth: 0 } } }]);
});

test('a scheduler tells the webhook of its environment what has changed', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { queue: 'mail' });
  await processor.queues.pause('mail');
  const watched = { text: '', severity: 'warning', seen: 1, failing: 0, missed: 0 } as const;
  const finding = { ...watched, code: 'paused_queue', about: { type: 'queue', name: 'mail' } } as const;
  await database
    .collections()
    .alerts.insertOne({ _id: 'verdict', look: '', looked: new Date(1), findings: [finding] });
  const received: string[] = [];
  const receiver = createServer((request, response) => {
    request.on('data', (chunk) => received.push(String(chunk)));
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve));
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const env = { ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/`, ALERT_WEBHOOK_FORMAT: 'slack' };
  const handler = createSchedulerHandler(deploymentOf(database, lambda(), [echo], env));

  expect(await handler(everyMinute, contextOf(60_000))).toEqual({ made: 0 });

  expect(received.join('')).toContain("queue 'mail' is paused, and 1 job waits in it");
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

test('a scheduler without due items kicks nobody', async () => {
  const handler = createSchedulerHandler(deploymentOf(database, lambda(), [echo]));
  const context = contextOf(60_000);

  expect(await handler(everyMinute, context)).toEqual({ made: 0 });
  expect(lambda().invocations).toEqual([]);
  expect(context.callbackWaitsForEmptyEventLoop).toBe(false);
});

test.each([
  ['waits for it where workers linger', '1m', 1],
  ['is not asked for where none does, without a queue of wake-ups', '0', 0],
])('an occurrence that is due before the next tick is made ahead; a worker %s', async (_, linger, kicks) => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const soon = new Date(Date.now() + 40_000);
  for (const [id, at] of [
    ['soon', soon],
    ['later', new Date(Date.now() + 120_000)],
  ] as const) {
    await processor.addScheduler({ type: 'At', id, at, jobName: 'echo', input: {}, active: true });
  }
  const handler = createSchedulerHandler(deploymentOf(database, lambda(), [echo], { LINGER: linger }));

  expect(await handler(everyMinute, contextOf(60_000))).toEqual({ made: 1 });
  expect(await processor.getJobs()).toMatchObject([{ status: 'queued', runAt: soon }]);
  expect(lambda().invocations).toHaveLength(kicks);
});

test('a scheduler without time makes nothing, and the next one does', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addScheduler({
    type: 'At',
    at: new Date(1),
    jobName: 'echo',
    input: {},
    active: true,
  });
  const handler = createSchedulerHandler(deploymentOf(database, lambda(), [echo]));
  expect(await handler(everyMinute, contextOf(5_000))).toEqual({ made: 0 });
  expect(await handler(everyMinute, contextOf(60_000))).toEqual({ made: 1 });
});

describe('a backlog', () => {
  const addEchoes = async (count: number) => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    await processor.addJobs(Array.from({ length: count }, (_, n) => ({ name: 'echo', input: { n } })));
  };
  const live = (count: number) =>
    database.db.collection<{ _id: string }>(collectionNames.workers).insertMany(
      Array.from({ length: count }, (_, n) => ({
        _id: `worker ${n}`,
        processor: 'root',
        expires: new Date(Date.now() + 60_000),
      })),
    );

  test.each([
    [1, 0, 1],
    [250, 0, 3],
    [250, 2, 1],
    [250, 3, 0],
    [700, 0, 5],
  ])('of %i jobs, with %i workers under way, starts %i', async (jobs, workers, started) => {
    await addEchoes(jobs);
    if (workers > 0) await live(workers);
    const deployment = deploymentOf(database, lambda(), [echo], { MAX_WORKERS: '5' });
    await createSchedulerHandler(deployment)(everyMinute, contextOf(60_000));
    expect(lambda().invocations).toHaveLength(started);
  });
});

describe('schedules that a deployment declares', () => {
  const declared = {
    id: 'tick',
    type: 'Delay',
    delay: '1h',
    jobName: 'echo',
    input: {},
    active: true,
  } as const;

  test('are there once its scheduler has started, and deactivated by one that declares them no more', async () => {
    const deployment = deploymentOf(database, lambda(), [echo]);
    await createSchedulerHandler({ ...deployment, schedules: [declared] })(everyMinute, contextOf(60_000));
    expect(await database.processor().getSchedulers()).toMatchObject([{ id: 'tick', active: true }]);
    await createSchedulerHandler({ ...deployment, schedules: [] })(everyMinute, contextOf(60_000));
    expect(await database.processor().getSchedulers()).toMatchObject([{ id: 'tick', active: false }]);
  });

  test('that are wrong are told, and the other items make their jobs', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    await processor.addScheduler({ type: 'At', at: new Date(1), jobName: 'echo', input: {}, active: true });
    const errors: string[] = [];
    const handler = createSchedulerHandler({
      ...deploymentOf(database, lambda(), [echo]),
      log: { ...silent, error: (message, fields) => void errors.push(`${message} ${fields?.error}`) },
      schedules: [{ ...declared, jobName: 'ehco' }],
    });
    expect(await handler(everyMinute, contextOf(60_000))).toEqual({ made: 1 });
    expect(errors).toMatchObject([expect.stringContaining('ehco')]);
  });
});

/** Runs the scheduler of a deployment that has the code of `echo` alone; returns its metrics and its warnings. */
async function tick() {
  const metrics: Metric[] = [];
  const warnings: LogFields[] = [];
  const handler = createSchedulerHandler({
    ...deploymentOf(database, lambda(), [echo]),
    log: { ...silent, warn: (_, fields) => void warnings.push(fields ?? {}) },
    publishMetrics: (_, published) => void metrics.push(...published),
  });
  await handler(everyMinute, contextOf(60_000));
  return { metrics: Object.fromEntries(metrics.map(([name, , value]) => [name, value])), warnings };
}

/** Adds jobs that have been due for so many minutes. */
async function addWaiting(...jobs: (readonly [jobName: string, minutes: number])[]): Promise<void> {
  const processor = database.processor();
  await processor.addJobFactories([echo, anything]);
  for (const [jobName, minutes] of jobs) {
    const id = await processor.addJob(jobName, {});
    const past = { $subtract: ['$$NOW', minutes * 60_000] };
    await database.db
      .collection<{ _id: string }>(collectionNames.jobs)
      .updateOne({ _id: id }, [{ $set: { runAt: past, queued: past } }]);
  }
}

test('a scheduler measures how long the oldest job has waited, by the clock of the database', async () => {
  await addWaiting(['echo', 10], ['echo', 2]);

  const { metrics, warnings } = await tick();

  expect(metrics).toMatchObject({ Made: 0, Recovered: 0, OldestUnclaimed: 0 });
  expect(metrics.OldestWaiting).toBeGreaterThanOrEqual(600);
  expect(metrics.OldestWaiting).toBeLessThan(630);
  expect(warnings).toEqual([]);
});

test('when nothing waits, a scheduler says so', async () => {
  expect((await tick()).metrics).toMatchObject({ Blocked: 0, OldestWaiting: 0, OldestUnclaimed: 0 });
});

test('jobs that wait for a limit are counted, and are not late', async () => {
  const job = defineJob({ name: 'limited', concurrency: { limit: 1 }, run: async () => {} });
  const processor = database.processor();
  await processor.addJobFactory(job);
  await processor.addJobs([1, 2, 3].map(() => ({ job })));
  while (await processor.pullNextJob());

  expect((await tick()).metrics).toMatchObject({ Blocked: 2, OldestWaiting: 0, OldestUnclaimed: 0 });
});

test('a scheduler tells of a job that nobody claims, and which it is', async () => {
  await addWaiting(['anything', 10], ['echo', 2]);

  const { metrics, warnings } = await tick();

  expect(metrics.OldestUnclaimed).toBe(metrics.OldestWaiting);
  expect(warnings).toMatchObject([
    { jobName: 'anything', queue: 'default', jobId: expect.any(String), requestId: expect.any(String) },
  ]);
});

test('a job that waits for the worker of another deployment is no matter for a warning yet', async () => {
  await addWaiting(['anything', 2]);

  const { metrics, warnings } = await tick();

  expect(metrics.OldestUnclaimed).toBeGreaterThanOrEqual(120);
  expect(warnings).toEqual([]);
});

test('a scheduler counts the attempts of crashed workers that it ended', async () => {
  await addWaiting(['echo', 0]);
  const crashed = database.processor();
  await crashed.addJobFactory(echo);
  await crashed.pullNextJob();
  await database.db
    .collection(collectionNames.jobs)
    .updateOne({}, { $set: { 'lease.expires': new Date(1) } });

  expect((await tick()).metrics).toMatchObject({ Recovered: 1 });
});
