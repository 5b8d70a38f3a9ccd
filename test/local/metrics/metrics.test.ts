/** What Prometheus reads from a process, over a socket. */
import { MongoClient } from 'mongodb';
import { expect, onTestFinished, test } from 'vitest';
import { startMetrics } from '../../../local/metrics/start-metrics.js';
import { LocalProcessor } from '../../../local/processor.js';
import { readConfig } from '../../../src/config.js';
import { defineJob } from '../../../src/index.js';
import { collectionNames } from '../../collection-names.js';
import { silent, useDatabase } from '../../database.js';
import { eventually } from '../../eventually.js';
import { echo, failing, gatedJob } from '../../jobs.js';
import { rawRequest } from '../../raw-request.js';

const database = useDatabase({ monitorCommands: true });

/** Serves the metrics of a processor, and returns their address. */
async function metricsOf(processor: LocalProcessor, db = database.db): Promise<string> {
  const server = await startMetrics(processor, db, readConfig({ METRICS_PORT: '0' }), silent);
  if (!server) throw new Error('It does not serve metrics.');
  onTestFinished(() => server.stop());
  return server.url;
}

/** Returns the value of each series of ours. */
async function scrape(url: string): Promise<Record<string, number>> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('remote_processor_'));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

test('attempts are counted by job, queue and outcome, with how long they ran and waited', async () => {
  const processor = database.processor({ maxThreads: 3 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactories([echo, failing, factory]);
  const url = await metricsOf(processor);
  await processor.addJobs([
    { name: 'echo', input: {}, options: { queue: 'mail' } },
    { name: 'echo', input: {}, options: { queue: 'mail', runAt: new Date(Date.now() - 3_600_000) } },
    { name: 'failing' },
    { name: 'gated' },
  ]);
  processor.startProcessor();
  await eventually(() => expect(gate.arrived).toBe(1));

  const all = await eventually(async () => {
    const metrics = await scrape(url);
    expect(metrics.remote_processor_running_jobs).toBe(1);
    return metrics;
  });

  expect(all).toMatchObject({
    'remote_processor_attempts_ended_total{job="echo",queue="mail",outcome="completed"}': 2,
    'remote_processor_attempts_ended_total{job="failing",queue="default",outcome="errors"}': 1,
    'remote_processor_run_duration_seconds_count{job="echo"}': 2,
    'remote_processor_run_duration_seconds_count{job="failing"}': 1,
    'remote_processor_wait_seconds_count{queue="mail"}': 2,
    'remote_processor_wait_seconds_count{queue="default"}': 2,
    // The time before it was added does not count.
    'remote_processor_wait_seconds_bucket{le="900",queue="mail"}': 2,
    remote_processor_claimed_jobs_total: 4,
    remote_processor_free_slots: 2,
    remote_processor_leases_lost_total: 0,
  });
  expect(all.remote_processor_claims_total).toBeGreaterThan(0);
  gate.open();
  await processor.stopProcessor();
  expect(await scrape(url)).toMatchObject({
    remote_processor_running_jobs: 0,
    remote_processor_free_slots: 0,
  });
});

test('an attempt that recovery ends is counted, and the lease that was lost', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const url = await metricsOf(processor);
  const id = await processor.addJob('echo', {});
  await processor.pullNextJob();
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  await jobs.updateOne({ _id: id }, { $set: { 'lease.expires': new Date(0) } });

  await processor.recoverJobs();

  expect(await scrape(url)).toMatchObject({
    remote_processor_leases_lost_total: 1,
    'remote_processor_attempts_ended_total{job="echo",queue="default",outcome="recovered"}': 1,
  });
});

test('what waits in the database is there by queue, and read once for many scrapes', async () => {
  const [producer, processor] = [database.processor(), database.processor()];
  await producer.addJobFactory(echo);
  const url = await metricsOf(processor);
  await producer.addJobs([
    { name: 'echo', input: {}, options: { queue: 'a "quoted" one', id: 'due' } },
    { name: 'echo', input: {}, options: { queue: 'reports', delay: '1h' } },
  ]);
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  const hourAgo = [{ $set: { runAt: { $subtract: ['$$NOW', 3_600_000] }, queued: new Date(0) } }];
  await jobs.updateOne({ _id: 'due' }, hourAgo);

  const scrapes: Record<string, number>[] = [];
  const commands = await database.commandsDuring(async () => {
    scrapes.push(...(await Promise.all([scrape(url), scrape(url), scrape(url)])));
  });

  const [all = {}] = scrapes;
  const quoted = String.raw`queue="a \"quoted\" one"`;
  expect(all).toMatchObject({
    [`remote_processor_queue_jobs{${quoted},state="ready"}`]: 1,
    [`remote_processor_queue_jobs{${quoted},state="delayed"}`]: 0,
    'remote_processor_queue_jobs{queue="reports",state="delayed"}': 1,
    'remote_processor_queue_oldest_wait_seconds{queue="reports"}': 0,
    remote_processor_blocked_jobs: 0,
    remote_processor_database_up: 1,
    'remote_processor_findings{severity="failure"}': 1,
    'remote_processor_findings{severity="warning"}': 0,
  });
  for (const name of [
    `remote_processor_queue_oldest_wait_seconds{${quoted}}`,
    'remote_processor_oldest_wait_seconds',
    'remote_processor_oldest_unclaimed_seconds',
  ])
    expect(all[name], name).toBeGreaterThanOrEqual(3_599);
  // The verdict, which is read once in a minute, costs 11 of them.
  expect(commands.length).toBeLessThan(10 + 11);
});

test('names of queues beyond the first hundred are counted together', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const url = await metricsOf(processor);
  await processor.addJobs(
    Array.from({ length: 105 }, (_, index) => ({
      name: 'echo',
      input: {},
      options: { queue: `tenant-${index}` },
    })),
  );
  await processor.drain();

  const all = await scrape(url);

  const counters = Object.keys(all).filter((name) =>
    name.startsWith('remote_processor_attempts_ended_total'),
  );
  expect(counters).toHaveLength(101);
  expect(all).toMatchObject({
    'remote_processor_attempts_ended_total{job="echo",queue="(other)",outcome="completed"}': 5,
  });
});

test('without its database a process tells that, and no backlog', async () => {
  // Nothing listens at port 1.
  const client = new MongoClient('mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100');
  onTestFinished(() => client.close());
  const db = client.db('x');

  const all = await scrape(await metricsOf(new LocalProcessor({ db, log: silent }), db));

  expect(all).toMatchObject({ remote_processor_database_up: 0, remote_processor_running_jobs: 0 });
  expect(all).not.toHaveProperty('remote_processor_oldest_wait_seconds');
});

test('it is off by default, and on loopback a page of another site learns nothing', async () => {
  const processor = database.processor();
  expect(await startMetrics(processor, database.db, readConfig({}), silent)).toBeUndefined();

  const url = await metricsOf(processor);
  const { status, body } = await rawRequest(url, ['GET /metrics HTTP/1.1', 'Host: rebound.example']);

  expect([status, JSON.parse(body).code]).toEqual([403, 'unknown_host']);
});

test('how long jobs waited for a limit is counted by its name', async () => {
  const limited = defineJob({ name: 'later', rateLimit: { limit: 1, period: '2h' }, run: () => {} });
  const processor = database.processor();
  await processor.addJobFactory(limited);
  const url = await metricsOf(processor);
  for (let n = 0; n < 2; n += 1) await processor.addJob(limited);
  await processor.drain();
  const metric = 'remote_processor_limit_wait_seconds_bucket{le="+Inf",limit="rate later"}';
  expect(await scrape(url)).toMatchObject({ [metric]: 1 });
});

test('how often a circuit breaker was opened is counted', async () => {
  const charge = defineJob({
    name: 'charge',
    circuitBreaker: { failures: 1, within: '1m', pause: '1m' },
    run: () => Promise.reject(new Error('The bank is down.')),
  });
  const processor = database.processor();
  await processor.addJobFactory(charge);
  const url = await metricsOf(processor);
  await processor.addJob(charge);
  await processor.processNextJob();
  expect(await scrape(url)).toMatchObject({ 'remote_processor_circuits_opened_total{job="charge"}': 1 });
});
