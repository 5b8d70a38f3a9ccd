import { expect, test } from 'vitest';
import { defineJob, type Verdict } from '../../src/index.js';
import { type AttemptCounts, nameKey } from '../../src/statistics/statistics-document.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);

/** Stores what attempts of kinds ended with in the minute that was so long ago. */
async function ended(minutes: number, names: Readonly<Record<string, Partial<AttemptCounts>>>) {
  const at = ago(minutes);
  const _id = new Date(at.getTime() - (at.getTime() % 60_000));
  const named = Object.fromEntries(Object.entries(names).map(([name, counts]) => [nameKey(name), counts]));
  const expireAt = new Date(Date.now() + 3_600_000);
  await database.collections().statistics.insertOne({ _id, names: named, written: new Date(), expireAt });
}

const verdict = () => database.processor().verdict();

/** The code, the subject and the severity of each finding. */
const shortly = ({ findings }: Verdict) =>
  findings.map(({ code, about, severity }) => `${severity} ${code} ${about.type} ${about.name}`.trim());

test('of an empty database all is well', async () => {
  expect(await verdict()).toEqual({ at: expect.any(Date), isWell: true, findings: [] });
});

test('work that goes on as it should is well', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJobs([
    { name: 'echo', input: {} },
    { name: 'echo', input: {}, options: { delay: '1h' } },
    { name: 'echo', input: {}, options: { queue: 'later', delay: '1h' } },
  ]);
  await processor.queues.pause('later');
  await processor.addScheduler({ type: 'Delay', delay: '1h', jobName: 'echo', input: {}, active: true });
  await ended(3, { echo: { completed: 1000, retried: 20 }, rare: { errors: 4 } });
  expect(shortly(await verdict())).toEqual([]);
});

test('a kind of jobs that mostly fails is told with its message, since when, and what can be done', async () => {
  const processor = database.processor();
  const charge = defineJob({
    name: 'billing.charge',
    maxRetries: 1,
    run: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1:443')),
  });
  await processor.addJobFactory(charge);
  await processor.addJobs(Array.from({ length: 10 }, () => ({ job: charge, options: { queue: 'billing' } })));
  await processor.drain();
  await database.collections().statistics.deleteMany({});
  await ended(600, { 'billing.charge': { completed: 500, retried: 3 } });
  await ended(40, { 'billing.charge': { completed: 30 } });
  await ended(13, { 'billing.charge': { completed: 2, errors: 4 } });
  await ended(2, { 'billing.charge': { errors: 3, retried: 2, recovered: 1, cancelled: 9 } });

  const { findings } = await verdict();
  const [group] = (await processor.failures.list()).failures;
  expect(findings).toEqual([
    {
      code: 'failing_jobs',
      severity: 'failure',
      about: { type: 'job', name: 'billing.charge' },
      text: 'billing.charge: 83 % of attempts fail (10 of 12 in 15 minutes), most with: connect ECONNREFUSED <host>',
      advice: expect.stringContaining('failures list --name billing.charge'),
      since: expect.any(Date),
      actions: ['see', 'retry', 'pause'],
      failureKey: group?.key,
      queue: 'billing',
    },
  ]);
  const sinceMs = findings[0]?.since?.getTime() ?? 0;
  expect(sinceMs).toBeGreaterThanOrEqual(ago(14).getTime());
  expect(sinceMs).toBeLessThanOrEqual(ago(13).getTime());
});

test.each([
  ['four failures are too few', { errors: 4 }, {}, []],
  ['five of five are enough', { errors: 5 }, {}, ['failure']],
  [
    'an eighth, of a kind that fails as often all day',
    { completed: 700, errors: 100 },
    { completed: 70, errors: 10 },
    [],
  ],
  ['an eighth, of a kind that never fails', { completed: 700, errors: 100 }, { completed: 800 }, ['warning']],
  ['an eighth of so few that it may be chance', { completed: 35, errors: 5 }, { completed: 800 }, []],
  [
    'most, of a kind that mostly fails all day',
    { completed: 10, errors: 90 },
    { completed: 1, errors: 90 },
    ['failure'],
  ],
])('how often a kind fails: %s', async (_, now, day, expected) => {
  await ended(5, { kind: now });
  await ended(300, { kind: day });
  expect((await verdict()).findings.map(({ severity }) => severity)).toEqual(expected);
});

test('a kind that has been failing for hours is told since then, over times without attempts', async () => {
  await ended(400, { kind: { completed: 100 } });
  await ended(300, { kind: { completed: 10, errors: 90 } });
  await ended(200, { kind: { errors: 9 } });
  await ended(5, { kind: { errors: 9 } });
  const { findings } = await verdict();
  const minutes = (Date.now() - (findings[0]?.since?.getTime() ?? 0)) / 60_000;
  expect(minutes).toBeGreaterThanOrEqual(300);
  expect(minutes).toBeLessThanOrEqual(361); // Before the last hour or two, it is known by the hour.
});

/** Moves the jobs of a queue to ten minutes ago. */
async function makeOld(queue: string) {
  const { jobs } = database.collections();
  await jobs.updateMany({ queue }, { $set: { runAt: ago(10), queued: ago(10) } });
}

async function registerWorker(queues?: readonly string[]) {
  const started = new Date();
  const expires = new Date(Date.now() + 600_000);
  await database.collections().workers.insertOne({
    ...{ _id: 'worker', processor: 'root', maxThreads: 1, started, expires },
    ...(queues && { queues }),
  });
}

test('due jobs that nobody claims are told: without a worker, and by queue', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const queues = ['mail', 'paused', 'new', 'other'];
  await processor.addJobs(queues.map((queue) => ({ name: 'echo', input: {}, options: { queue } })));
  await processor.queues.pause('paused');
  for (const queue of ['mail', 'paused', 'other']) await makeOld(queue);

  const without = await verdict();
  expect(shortly(without)).toEqual(['failure no_worker deployment', 'warning paused_queue queue paused']);
  expect(without.findings[0]?.text).toBe(
    'no worker takes jobs: 2 jobs have been due for up to 10m in 2 queues',
  );

  await registerWorker(['mail']);
  const { findings } = await verdict();
  expect(findings.filter(({ code }) => code === 'unclaimed_jobs')).toMatchObject([
    { about: { name: 'mail' }, advice: expect.stringContaining('lack the code') },
    { about: { name: 'other' }, advice: expect.stringContaining('No running worker takes this queue') },
  ]);
});

test('jobs that must run alone are told as well, and a job that was queued late is not', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const id = await processor.addJob('echo', {}, { runAt: ago(60) });
  expect(shortly(await verdict())).toEqual([]);
  await makeOld('default');
  const { jobs } = database.collections();
  await jobs.updateOne({ _id: id }, { $set: { runAlone: true }, $unset: { claimable: '' } });
  expect(shortly(await verdict())).toEqual(['failure no_worker deployment']);
});

test('a paused queue with many jobs does not hide that others are not claimed', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.queues.pause('paused');
  const paused = Array.from({ length: 300 }, () => ({
    name: 'echo',
    input: {},
    options: { queue: 'paused', priority: 9 },
  }));
  await processor.addJobs([...paused, { name: 'echo', input: {}, options: { queue: 'mail' } }]);
  for (const queue of ['mail', 'paused']) await makeOld(queue);
  const { findings } = await verdict();
  expect(findings.map(({ text }) => text)).toEqual([
    "no worker takes jobs: 1 job has been due for up to 10m in the queue 'mail'",
    "queue 'paused' is paused, and 100+ jobs wait in it",
  ]);
});

test('lost jobs, late schedules and open breakers are told', async () => {
  const broken = defineJob({
    name: 'broken',
    circuitBreaker: { failures: 1, within: '1m', pause: '1m' },
    run: () => Promise.reject(new Error('down')),
  });
  const processor = database.processor();
  await processor.addJobFactories([broken, echo]);
  await processor.addJobs([{ job: broken }, { job: broken, options: { queue: 'broken' } }]);
  await processor.processNextJob();
  await makeOld('broken'); // That these are not claimed is the breaker's doing.
  const lost = await processor.addJob('echo', {});
  await processor.addScheduler({
    ...{ id: 'often', type: 'Delay', delay: '1h', jobName: 'echo', input: {}, active: true },
  });
  const { jobs, scheduler } = database.collections();
  const lease = { token: 't', worker: 'w', lengthMs: 30_000, expires: ago(10) };
  await jobs.updateOne({ _id: lost }, { $set: { status: 'processing', lease } });
  await scheduler.updateOne({ _id: 'often' }, { $set: { nextCallTime: ago(10) } });

  const found = await verdict();
  expect(shortly(found)).toEqual([
    'failure lost_jobs deployment',
    'failure late_schedules schedule often',
    'warning open_breaker limit breaker broken',
  ]);
  expect(found.findings.map(({ text }) => text)).toEqual([
    '1 job of a crashed worker was not recovered for 3 minutes',
    "schedule 'often' is late by 10m",
    'broken: its circuit breaker is open, so no job of this kind starts, except one to try',
  ]);
});

test('a strict order that a failed job stops names that job', async () => {
  const ordered = defineJob({
    name: 'events',
    maxRetries: 1,
    ordering: {},
    run: () => Promise.reject(new Error('no')),
  });
  const processor = database.processor();
  await processor.addJobFactory(ordered);
  for (const id of ['a', 'b']) await processor.addJob(ordered, undefined, { id });
  await processor.processNextJob();
  expect(shortly(await verdict())).toEqual([]);
  const { jobs } = database.collections();
  await jobs.updateOne({ _id: 'b' }, { $set: { queued: ago(10), runAt: ago(10) } });
  expect((await verdict()).findings).toMatchObject([
    {
      code: 'stopped_limit',
      severity: 'warning',
      about: { type: 'limit', name: 'order events' },
      actions: ['see', 'retry', 'skip'],
      jobId: 'a',
    },
  ]);
});
