import { ObjectId } from 'mongodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { program } from '../../programs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run } = useCommandLine(database);

const report = defineJob({
  name: 'report',
  input: z.object({ shop: z.string(), since: z.unknown().optional() }),
  run: () => {},
});
const clean = defineJob({ name: 'clean', run: () => {} });

beforeEach(async () => {
  await database.processor().addJobFactories([report, clean]);
});

const hour = 3_600_000;
const fromNow = (ms: number) => new Date(Date.now() + ms);

/** Everything that Agenda 6.2.6 writes, also what it does not know yet. */
const unset6 = {
  ...{
    lockedAt: null,
    lastRunAt: null,
    lastFinishedAt: null,
    failedAt: null,
    failCount: null,
    failReason: null,
  },
  ...{
    repeatInterval: null,
    repeatTimezone: null,
    repeatAt: null,
    startDate: null,
    endDate: null,
    skipDays: null,
  },
  ...{ disabled: null, progress: null, debounceStartedAt: null, fork: null, lastModifiedBy: null },
};
/** Agenda 4.4.0 and 5.0.0 leave out what does not apply. */
const unset5 = { shouldSaveResult: false, lastModifiedBy: null };

type Fields = Readonly<Record<string, unknown>>;

/** A one-time job as Agenda 6 stores it: due in an hour, unless told otherwise. */
function once(fields: Fields = {}) {
  const own = { name: 'report', type: 'normal', data: { shop: 'a' }, priority: 0, nextRunAt: fromNow(hour) };
  return { _id: new ObjectId(), ...unset6, ...own, ...fields };
}

/** A recurring job as `every` of Agenda 6 stores it. */
function every(repeatInterval: string | number, fields: Fields = {}) {
  return once({ type: 'single', repeatInterval, ...fields });
}

async function fill(...documents: readonly object[]) {
  await database.db.collection('agendaJobs').insertMany(documents.map((document) => ({ ...document })));
}

async function importAgenda(...options: readonly string[]) {
  const { code, out, err } = await run(['import', 'agenda', '--json', ...options], { on: 'database' });
  if (code === 0) return JSON.parse(out);
  throw new Error(err);
}

/** Imports with `--execute`, and returns the jobs and the scheduler items that are there then. */
async function execute(...options: readonly string[]) {
  const told = await importAgenda('--execute', ...options);
  const processor = database.processor();
  return { told, jobs: await processor.getJobs(), schedules: await processor.getSchedulers() };
}

/** Returns the hour of the day in Paris, from 0 to 23. */
function hourInParis(time: Date): number {
  const format = { hour: '2-digit', hourCycle: 'h23', timeZone: 'Europe/Paris' } as const;
  return Number(new Intl.DateTimeFormat('en', format).format(time));
}

test('a dry run tells for each kind what would be added, and writes nothing', async () => {
  // Some hours away at any time of the day, since what is a day away is shown in days.
  const cron = `0 ${hourInParis(fromNow(5 * hour))} * * *`;
  const recurring = every(cron, { repeatTimezone: 'Europe/Paris' });
  const ended = fromNow(-hour);
  await fill(
    recurring,
    once(),
    once({ nextRunAt: fromNow(-hour) }),
    once({ nextRunAt: null, lastFinishedAt: ended }),
    once({ nextRunAt: null, lastFinishedAt: ended, failedAt: ended, failCount: 1 }),
    once({ name: 'clean', data: null, disabled: true }),
  );

  const { code, out, err } = await run(['import', 'agenda'], { on: 'database' });
  expect(code).toBe(0);
  expect(out).toMatch(/\nreport +report +2 +1 +1 +0 +2 +0\n/);
  const shown = `${cron} Europe/Paris`.replaceAll('*', '\\*');
  expect(out).toMatch(new RegExp(`\nagenda-\\w{24} +report +${shown} +active +in \\d+h`));
  expect(out).toMatch(/\n1 of 'clean' not taken: it is disabled \(\w{24}\)\n/);
  expect(err).toContain('Nothing was written.');
  expect(await importAgenda()).toMatchObject({
    executed: false,
    read: 6,
    kinds: [
      { name: 'clean', newJobs: 0, refused: 1 },
      {
        name: 'report',
        newJobs: 2,
        dueJobs: 1,
        newSchedules: 1,
        there: 0,
        completed: 1,
        failed: 1,
        refused: 0,
      },
    ],
    schedules: [{ id: `agenda-${recurring._id}`, type: 'Cron', cron, timeZone: 'Europe/Paris' }],
    refusals: [{ name: 'clean', reason: 'it is disabled', count: 1 }],
  });
  const processor = database.processor();
  expect(await processor.getJobs()).toEqual([]);
  expect(await processor.getSchedulers()).toEqual([]);
});

describe('with --execute', () => {
  test('a queued job keeps its data with their types, its moment and its priority', async () => {
    const data = { shop: 'a', since: { date: new Date('2026-01-01'), order: new ObjectId() } };
    const job = once({ data, priority: 10 });
    await fill(job);

    const { jobs } = await execute();
    expect(jobs).toMatchObject([
      {
        id: `agenda-${job._id}`,
        jobName: 'report',
        status: 'queued',
        input: data,
        runAt: job.nextRunAt,
        priority: 5,
      },
    ]);
  });

  test('a recurring job becomes an active scheduler item that goes on in the same rhythm', async () => {
    const timed = every('0 9 * * 1-5', {
      repeatTimezone: 'Europe/Paris',
      endDate: '2999-01-01T00:00:00+01:00',
    });
    const rhythm = every('3 days and 4 hours', { name: 'clean', data: null, priority: 20 });
    await fill(timed, rhythm);

    const { schedules, jobs } = await execute();
    expect(jobs).toEqual([]);
    expect(schedules).toMatchObject([
      {
        ...{
          id: `agenda-${timed._id}`,
          type: 'Cron',
          cron: '0 9 * * 1-5',
          timeZone: 'Europe/Paris',
          active: true,
        },
        ...{
          jobName: 'report',
          input: { shop: 'a' },
          overlap: 'skip',
          endAt: new Date('2998-12-31T23:00:00Z'),
        },
      },
      {
        ...{ id: `agenda-${rhythm._id}`, type: 'Delay', delay: 76 * hour, nextCallTime: rhythm.nextRunAt },
        ...{ jobName: 'clean', jobOptions: { priority: 9 } },
      },
    ]);
  });

  test('the source is left as it is', async () => {
    const documents = [once(), every('5 minutes'), once({ name: 'unknown' })];
    await fill(...documents);
    await execute();
    expect(await database.db.collection('agendaJobs').find().toArray()).toEqual(documents);
  });

  test('a second run adds nothing, even after a scheduler item has made a job', async () => {
    const recurring = every('5 minutes', { data: { shop: 'b' } });
    await fill(once(), recurring);
    await execute();
    const passed = { nextRunAt: fromNow(-1000) }; // as if the five minutes were over
    await database.db.collection('agendaJobs').updateOne({ _id: recurring._id }, { $set: passed });

    const { told, jobs, schedules } = await execute();
    expect(told.kinds).toMatchObject([{ newJobs: 0, newSchedules: 0, there: 2, refused: 0 }]);
    expect([jobs.length, schedules.length]).toEqual([1, 1]);
  });

  test('a second run leaves alone what has run, was changed or was deactivated here', async () => {
    const [job, recurring] = [once({ nextRunAt: fromNow(-hour) }), every('5 minutes')];
    await fill(job, recurring);
    await execute();
    const processor = database.processor();
    await processor.addJobFactory(report);
    await processor.drain();
    await processor.deactivateScheduler(`agenda-${recurring._id}`);

    const { jobs, schedules } = await execute();
    expect(jobs).toMatchObject([{ id: `agenda-${job._id}`, status: 'completed' }]);
    expect(schedules).toMatchObject([{ active: false }]);
  });

  test('an occurrence that Agenda has not run becomes a job', async () => {
    const late = every('30 days', { nextRunAt: fromNow(-hour) });
    await fill(late);

    const { jobs, schedules } = await execute();
    const id = `agenda-${late._id}-${late.nextRunAt.getTime()}`;
    expect(jobs).toMatchObject([{ id, runAt: late.nextRunAt }]);
    expect(schedules).toMatchObject([{ id: `agenda-${late._id}`, active: true }]);
    expect((await execute()).jobs).toHaveLength(1);
  });

  test('a disabled recurring job becomes an inactive scheduler item', async () => {
    await fill(every('30 days', { nextRunAt: fromNow(-hour), disabled: true }));
    const { jobs, schedules } = await execute();
    expect(jobs).toEqual([]);
    expect(schedules).toMatchObject([{ active: false, type: 'Delay' }]);
  });

  test('a job that Agenda runs is left, and one whose process died becomes a job', async () => {
    const running = once({ nextRunAt: null, lockedAt: fromNow(-60_000) });
    const lost = once({ nextRunAt: null, lockedAt: fromNow(-hour) });
    await fill(running, lost);

    const { told, jobs } = await execute();
    expect(told.refusals).toMatchObject([
      { reason: expect.stringMatching(/^Agenda runs it/), ids: [`${running._id}`] },
    ]);
    expect(jobs).toMatchObject([{ id: `agenda-${lost._id}` }]);
    expect((await execute('--lock-lifetime', '30s')).jobs).toHaveLength(2);
  });

  test('the module of --jobs checks the inputs, and its jobs are registered', async () => {
    await fill(once({ name: 'quick', data: null }));
    const { jobs } = await execute('--jobs', await program('test/local/cli/jobs-module.ts'));
    expect(jobs).toMatchObject([{ jobName: 'quick', status: 'queued' }]);
    expect(await database.processor().factories.names()).toContain('quick');
  });

  test('nothing is added without the indexes', async () => {
    await fill(once());
    const env = { COLLECTION_PREFIX: 'other.' };
    const { code, err } = await run(['import', 'agenda', '--execute'], { on: 'database', env });
    expect(code).toBe(1);
    expect(err).toContain('ensure-indexes');
  });
});

test('documents of Agenda 4 and 5 are read', async () => {
  const own = { type: 'normal', data: { shop: 'a' }, priority: 0, ...unset5 };
  const recurring = { startDate: null, endDate: null, skipDays: null, repeatTimezone: null, type: 'single' };
  await fill(
    { name: 'report', ...own, nextRunAt: fromNow(hour) },
    {
      name: 'report',
      ...own,
      nextRunAt: null,
      lockedAt: null,
      lastRunAt: fromNow(-hour),
      lastFinishedAt: fromNow(-hour),
    },
    {
      name: 'report',
      ...own,
      ...recurring,
      nextRunAt: fromNow(hour),
      repeatInterval: '15 minutes',
      endDate: Date.now() + hour,
    },
    {
      name: 'report',
      ...own,
      ...recurring,
      nextRunAt: fromNow(hour),
      repeatInterval: '1 day',
      skipDays: '2 days',
    },
  );
  expect(await importAgenda()).toMatchObject({
    kinds: [{ newJobs: 1, completed: 1, newSchedules: 1, refused: 1 }],
    schedules: [{ delay: hour / 4 }],
    refusals: [{ reason: expect.stringContaining('skips days') }],
  });
});

test('intervals are read as Agenda reads them', async () => {
  const minute = 60_000;
  const day = 24 * hour;
  const delays: readonly (readonly [interval: string | number, delay: number])[] = [
    ['5 minutes', 5 * minute],
    ['one minute', minute],
    ['minute', minute],
    ['1.5 hours', 90 * minute],
    ['2 weeks, 3 days and 4 hours', 17 * day + 4 * hour],
    ['2 months', 60 * day],
    ['1 year', 365 * day],
    ['5000', 5000],
    [5000, 5000],
  ];
  await fill(...delays.map(([interval]) => every(interval)));
  const { schedules } = await importAgenda();
  expect(schedules.map(({ delay }: { delay: number }) => delay)).toEqual(delays.map(([, delay]) => delay));
});

test('what cannot be taken over is left, with the reason', async () => {
  const left: readonly (readonly [reason: RegExp, fields: Fields])[] = [
    [/neither a cron expression .*'every other tuesday'/, { repeatInterval: 'every other tuesday' }],
    [/neither a cron expression .*'5 minutes or so'/, { repeatInterval: '5 minutes or so' }],
    [/at least 1 second/, { repeatInterval: 500 }],
    [/repeatAt '3:30pm'/, { repeatAt: '3:30pm' }],
    [/skipDays/, { repeatInterval: '1 day', skipDays: [0, 6] }],
    [/IANA time zone/, { repeatInterval: '0 9 * * *', repeatTimezone: 'Mars/Olympus' }],
    [/it has ended/, { repeatInterval: '1 day', endDate: fromNow(-hour) }],
    [/stopped it: nextRunAt is null/, { repeatInterval: '1 day', nextRunAt: null }],
    [/never scheduled/, { nextRunAt: null }],
    [/no job factory is called 'send mail'/, { name: 'send mail' }],
    [/^shop: /, { data: { shop: 5 } }],
    [/^input\.shop: /, { repeatInterval: '1 day', data: { shop: 5 } }],
    [/not as Agenda writes jobs: nextRunAt/, { nextRunAt: 'soon' }],
  ];
  const documents = left.map(([, fields]) => once(fields));
  await fill(...documents, once());

  const { told, jobs, schedules } = await execute();
  for (const [index, { _id, name }] of documents.entries())
    expect(told.refusals).toContainEqual({
      ...{ name, count: 1, ids: [`${_id}`] },
      reason: expect.stringMatching(left[index]?.[0] ?? ''),
    });
  expect([told.refusals.length, jobs.length, schedules.length]).toEqual([left.length, 1, 0]);
});

test('names are chosen and changed, and cron expressions without a time zone get one', async () => {
  await fill(once(), every('0 9 * * *', { name: 'send report' }));
  const { kinds, schedules } = await importAgenda(
    ...[
      '--only',
      'send report',
      '--rename',
      'clean up=clean',
      'send report=report',
      '--time-zone',
      'Asia/Tokyo',
    ],
  );
  expect(kinds).toMatchObject([{ name: 'send report', jobName: 'report', newSchedules: 1 }]);
  expect(schedules).toMatchObject([{ jobName: 'report', timeZone: 'Asia/Tokyo', title: 'send report' }]);
});

test('another database and another collection are read, as --from or AGENDA_MONGODB_URI name them', async () => {
  const other = database.client.db(`${database.name}-agenda`);
  const from = new URL(database.uri);
  from.pathname = `/${other.databaseName}`;
  await other.collection('work').insertOne(once());
  const options = ['import', 'agenda', '--collection', 'work', '--json'];
  try {
    const env = { AGENDA_MONGODB_URI: from.href };
    for (const { out } of [
      await run([...options, '--from', from.href], { on: 'database' }),
      await run(options, { on: 'database', env }),
    ])
      expect(JSON.parse(out)).toMatchObject({ read: 1, kinds: [{ newJobs: 1 }] });
  } finally {
    await other.dropDatabase();
  }
});

test('progress is told for a large collection', async () => {
  const ended = fromNow(-hour);
  const documents = Array.from({ length: 10_500 }, () => ({
    name: 'report',
    nextRunAt: null,
    lastFinishedAt: ended,
  }));
  await fill(...documents);
  const { out, err } = await run(['import', 'agenda', '--json'], { on: 'database' });
  expect(JSON.parse(out)).toMatchObject({ read: 10_500, kinds: [{ completed: 10_500 }] });
  expect(err).toBe('10000 of about 10500 documents read\n');
});

test.each([
  [['--from', 'redis://someone:secret@host'], 2, /--from is no mongodb/],
  [['--rename', 'report'], 2, /expected a pair/],
  [['--time-zone', 'Mars/Olympus'], 2, /expected an IANA time zone/],
  [['--url', 'https://jobs.example.com'], 2, /leave out --url/],
  [['--collection', 'nothing'], 3, /no such job in nothing of the database/],
])('import agenda %j ends with %i', async (options, expected, message) => {
  const { code, out, err } = await run(['import', 'agenda', ...options], { on: 'database' });
  expect({ code, out }).toEqual({ code: expected, out: '' });
  expect(err).toMatch(message);
  expect(err).not.toContain('secret');
});
