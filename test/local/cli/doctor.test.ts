import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { collectionNames } from '../../collection-names.js';
import { useDatabase } from '../../database.js';
import { echo } from '../../jobs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, url } = useCommandLine(database);

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly detail: string;
  readonly fix: string | null;
}

/** What it finds on the database, or the deployment, and the exit code. */
async function examine(
  env: Readonly<Record<string, string | undefined>> = {},
  on: 'server' | 'database' = 'database',
) {
  const { code, out } = await run(['doctor', '--json'], { on, env });
  const { ok, findings }: { ok: boolean; findings: Finding[] } = JSON.parse(out);
  const of = (check: string) => findings.filter((finding) => finding.check === check);
  return { code, ok, findings, of };
}

const tenMinutesAgo = () => new Date(Date.now() - 600_000);

test('of a deployment that is well it finds nothing wrong', async () => {
  const { code, ok, findings } = await examine({ API_KEYS: `a:read:${'0'.repeat(64)}` });

  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect({ code, ok }).toEqual({ code: 0, ok: true });
  expect(findings.map(({ check }) => check)).toEqual([
    ...['configuration', 'database', 'version', 'replica set', 'clock', 'collections', 'write concern'],
    ...[
      'indexes',
      'waiting jobs',
      'paused queues',
      'limits',
      'circuit breakers',
      'leases',
      'scheduler',
      'failures',
    ],
  ]);
});

test('people are told what is wrong, and how to fix it', async () => {
  const { code, out, err } = await run(['doctor'], {
    on: 'database',
    env: { MONGODB_DATABASE: `${database.name}-new` },
  });

  expect(code).toBe(1);
  expect(out).toMatch(
    /^ok +configuration: every variable is valid\nwarning +API keys: API_KEYS is not set here/,
  );
  expect(out).toMatch(
    /\nfailure +indexes: missing: remoteProcessor\.jobs\.claimable, .+\n +Run remote-processor ensure-indexes\n/,
  );
  expect(err).toMatch(/^error: \d of \d+ checks failed\n$/);
});

test('bad settings, a database that is not set or does not answer: each is a failure of its own', async () => {
  const bad = await examine({ MAX_THREADS: 'many', MONGODB_DATABASE: 'a.b' });
  const none = await examine({ MONGODB_URI: undefined });
  const away = await examine({ MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100' });

  expect(bad.of('configuration')).toMatchObject([
    { status: 'failure', detail: expect.stringContaining('MONGODB_DATABASE') },
    { status: 'failure', detail: expect.stringContaining('MAX_THREADS') },
  ]);
  expect(none.of('configuration')).toMatchObject([{ status: 'failure', detail: 'MONGODB_URI is not set' }]);
  expect(away.of('database')).toMatchObject([
    { status: 'failure', detail: expect.stringContaining('cannot be reached') },
  ]);
  expect([bad.code, none.code, away.code]).toEqual([1, 1, 1]);
});

test('an index that is missing, or has other keys, is a failure', async () => {
  const jobs = database.db.collection(collectionNames.jobs);
  const indexes = {
    claimable: `${jobs.collectionName}.claimable`,
    claimableByQueue: `${jobs.collectionName}.claimableByQueue`,
    leaseExpiry: `${jobs.collectionName}.leaseExpiry`,
  };
  await jobs.dropIndex('claimable');
  await jobs.dropIndex('leaseExpiry');
  await jobs.dropIndex('claimableByQueue');
  await jobs.createIndex({ lease: 1 }, { name: 'leaseExpiry' });

  const { of } = await examine();
  await jobs.dropIndex('leaseExpiry');
  const repaired = await run(['ensure-indexes', '--json'], { on: 'database' });

  expect(of('indexes')).toMatchObject([
    { status: 'failure', detail: `missing: ${indexes.claimable}, ${indexes.claimableByQueue}` },
    { status: 'failure', detail: `of another version: ${indexes.leaseExpiry}` },
  ]);
  expect(of('verdict')).toMatchObject([
    { status: 'failure', detail: expect.stringMatching(/^An index is missing: /) },
  ]);
  expect(JSON.parse(repaired.out)).toEqual({
    made: Object.values(indexes),
    dropped: [],
  });
  expect((await jobs.indexes()).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['claimable', 'leaseExpiry']),
  );
});

test('jobs that nobody claims, leases that nobody recovers, late items and paused queues are found', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const [waiting, lost] = await processor.addJobs([
    { name: 'echo', input: {}, options: { queue: 'mail' } },
    { name: 'echo', input: {} },
  ]);
  await processor.addScheduler({
    id: 'often',
    type: 'Delay',
    delay: '1h',
    jobName: 'echo',
    input: {},
    active: true,
  });
  await processor.addJob('echo', {}, { queue: 'slow' });
  await processor.queues.pause('slow');
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  await jobs.updateOne({ _id: waiting ?? '' }, { $set: { runAt: tenMinutesAgo(), queued: tenMinutesAgo() } });
  const lease = { token: 't', worker: 'w', lengthMs: 30_000, expires: tenMinutesAgo() };
  await jobs.updateOne({ _id: lost ?? '' }, { $set: { status: 'processing', lease } });
  await database.db
    .collection<{ _id: string }>(collectionNames.scheduler)
    .updateOne({ _id: 'often' }, { $set: { nextCallTime: tenMinutesAgo() } });

  const near = await examine();
  const far = await examine({}, 'server');

  for (const { of } of [near, far]) {
    expect(of('waiting jobs')).toMatchObject([
      {
        status: 'failure',
        detail: expect.stringMatching(/^no worker takes jobs: .* for up to 10m in the queue 'mail', since /),
        fix: expect.stringContaining('No worker runs'),
      },
    ]);
    expect(of('paused queues')).toMatchObject([
      { status: 'warning', fix: expect.stringContaining('queues resume slow') },
    ]);
    expect(of('scheduler')).toMatchObject([
      { status: 'failure', detail: expect.stringContaining("'often' is late by 10m") },
    ]);
    expect(of('leases')).toMatchObject([{ status: 'failure', detail: expect.stringMatching(/^1 job /) }]);
  }
  expect([near.code, far.code]).toEqual([1, 1]);
});

describe('limits:', () => {
  const limited = defineJob({
    name: 'limited',
    input: z.object({ tenant: z.string() }),
    concurrency: { key: 'tenant', limit: 1 },
    run: async () => {},
  });

  /** A job that holds the place of a limit, and another that has waited for it for ten minutes. */
  async function waitingFor(tenant: string) {
    const processor = database.processor();
    await processor.addJobFactory(limited);
    const ids = ['first', 'second'].map((place) => `${tenant}-${place}`);
    await processor.addJobs(
      ids.map((id) => ({ job: limited, input: { tenant }, options: { id, queue: tenant } })),
    );
    const holder = await processor.pullNextJob();
    expect(await processor.pullNextJob()).toBeUndefined();
    const { jobs } = database.collections();
    await jobs.updateMany(
      { blockedBy: { $gt: '' } },
      { $set: { queued: tenMinutesAgo(), picked: tenMinutesAgo(), runAt: tenMinutesAgo() } },
    );
    return { processor, jobs, holder: holder ?? expect.fail() };
  }

  test('a full one is well, and a paused one is told', async () => {
    const { processor } = await waitingFor('a');
    expect((await examine()).of('limits')).toMatchObject([{ status: 'ok' }]);
    await processor.limits.pause('limited=a');
    expect((await examine({}, 'server')).of('limits')).toMatchObject([
      {
        status: 'warning',
        detail: expect.stringMatching(/^limit 'limited=a' is paused, and jobs wait for it, since .*Z/),
        fix: expect.stringContaining("limits resume 'limited=a'"),
      },
    ]);
  });

  test('a strict order that a failed job stops is told', async () => {
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
    const { jobs } = database.collections();
    await jobs.updateOne({ _id: 'b' }, { $set: { queued: tenMinutesAgo(), runAt: tenMinutesAgo() } });
    expect((await examine()).of('limits')).toMatchObject([
      {
        status: 'warning',
        detail: expect.stringMatching(
          /^'order events' is stopped by job a, which failed, and jobs wait, since /,
        ),
        fix: expect.stringContaining("limits skip 'order events'"),
      },
    ]);
  });

  test('one whose place nobody gives away stands still', async () => {
    const { jobs } = await waitingFor('a');
    await jobs.updateOne({ _id: 'a-first' }, { $set: { status: 'completed' } });
    expect((await examine()).of('limits')).toMatchObject([
      {
        status: 'failure',
        detail: "limit 'limited=a': jobs wait though a place is free",
      },
    ]);
  });

  test('one whose place a job holds that no worker can take stands still', async () => {
    const { processor, holder } = await waitingFor('a');
    await processor.failJob(holder, new Error('again')); // The second has the place now.
    await processor.updateJob('a-first', { delay: 0 });
    await database.collections().jobs.updateOne(
      { _id: 'a-first' },
      {
        $set: {
          blockedBy: 'limited=a',
          claimable: false,
          queued: tenMinutesAgo(),
          picked: tenMinutesAgo(),
          runAt: tenMinutesAgo(),
          queue: 'b',
        },
      },
    );
    await processor.queues.pause('a');
    expect((await examine()).of('limits')).toMatchObject([
      {
        status: 'failure',
        detail: expect.stringMatching(
          /^limit 'limited=a': jobs wait, and job a-second \(limited\) holds a place: its queue 'a' is paused/,
        ),
        fix: expect.stringContaining('cancel a-second'),
      },
    ]);
  });
});

test('of a deployment it finds out whether it answers, and takes the key', async () => {
  const well = await examine({}, 'server');
  const refused = await examine({ REMOTE_PROCESSOR_API_KEY: 'wrong' }, 'server');
  const away = await examine({ REMOTE_PROCESSOR_URL: url().replace(/\d+$/, '1') }, 'server');

  expect(well.code).toBe(0);
  expect(well.findings.map(({ check }) => check)).toEqual([
    ...['deployment', 'API key', 'clock', 'waiting jobs', 'paused queues', 'limits', 'circuit breakers'],
    ...['leases', 'scheduler', 'failures'],
  ]);
  expect(refused.of('API key')).toMatchObject([{ status: 'failure' }]);
  expect(away.of('deployment')).toMatchObject([{ status: 'failure' }]);
});
