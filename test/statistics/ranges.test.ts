import fc from 'fast-check';
import type { CommandSucceededEvent } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { defineJob, type KindStatistics, type RemoteProcessor } from '../../src/index.js';
import { addCounts } from '../../src/statistics/add-counts.js';
import { countDuration, type Histogram, percentilesOf } from '../../src/statistics/histogram.js';
import { rollUpHours } from '../../src/statistics/roll-up-hours.js';
import {
  type KindCounts,
  nameKey,
  noCounts,
  type StatisticsDocument,
} from '../../src/statistics/statistics-document.js';
import { noKindSums } from '../../src/statistics/sums.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { failing, flaky } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const minutes = () => database.collections().statistics;
const hours = () => database.collections().statisticsHours;

async function databaseTime(): Promise<number> {
  return Number((await database.db.command({ hello: 1 })).localTime);
}

/** Documents of minutes before now, as workers write them. */
async function count(agoMinutes: readonly number[], names: Readonly<Record<string, KindCounts>>) {
  const now = await databaseTime();
  const kinds = Object.entries(names).map(([name, counts]) => [nameKey(name), counts]);
  const completed = Object.values(names).reduce((sum, { completed = 0 }) => sum + completed, 0);
  await minutes().insertMany(
    agoMinutes.map(
      (ago): StatisticsDocument => ({
        _id: new Date(now - (now % MINUTE_MS) - ago * MINUTE_MS),
        total: { completed },
        names: Object.fromEntries(kinds),
        ...{ written: new Date(now), expireAt: new Date(now + HOUR_MS) },
      }),
    ),
  );
}

async function rollUp(): Promise<void> {
  while (!(await rollUpHours(database.collections(), await databaseTime())));
}

/** How many documents of statistics were read, by how many commands. */
async function readDuring(work: () => Promise<unknown>) {
  let [documents, commands] = [0, 0];
  const note = ({ commandName, reply }: CommandSucceededEvent) => {
    if (commandName === 'hello') return;
    commands += 1;
    const { firstBatch = [], nextBatch = [] } = JSON.parse(JSON.stringify(reply)).cursor ?? {};
    documents += firstBatch.length + nextBatch.length;
  };
  database.client.on('commandSucceeded', note);
  try {
    await work();
  } finally {
    database.client.off('commandSucceeded', note);
  }
  return { documents, commands };
}

test('a percentile is off by at most a factor of the square root of 2, or a millisecond', () => {
  const durations = fc.array(fc.integer({ min: 0, max: 3_000_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(durations, (all) => {
      const histogram: Histogram = new Map();
      for (const duration of all) countDuration(histogram, duration);
      const sorted = all.toSorted((one, other) => one - other);
      const percentiles = percentilesOf(histogram);
      expect(percentiles?.count).toBe(all.length);
      for (const [name, share] of [
        ['p50', 0.5],
        ['p95', 0.95],
        ['p99', 0.99],
      ] as const) {
        const exact = sorted[Math.ceil(share * all.length) - 1] ?? Number.NaN;
        const told = percentiles?.[name] ?? Number.NaN;
        expect(told).toBeGreaterThanOrEqual(Math.floor(exact / Math.SQRT2));
        expect(told).toBeLessThanOrEqual(Math.ceil(exact * Math.SQRT2) + 1);
      }
    }),
    { numRuns: 200 },
  );
});

test('a drain writes how long the jobs of each kind ran and waited, with its counts', async () => {
  const processor = database.processor();
  const quick = defineJob({ name: 'quick', run: () => {} });
  await processor.addJobFactories([quick, failing, flaky]);
  await processor.addJobs([...Array(8).fill({ name: 'quick' }), { name: 'failing' }, { name: 'flaky' }]);
  await database.db
    .collection(collectionNames.jobs)
    .updateMany({ jobName: 'quick' }, [
      { $set: { runAt: { $subtract: ['$runAt', HOUR_MS] }, queued: { $subtract: ['$queued', HOUR_MS] } } },
    ]);
  const commands = await database.commandsDuring(() => processor.drain());
  const writes = commands.filter(({ command }) => command.findAndModify === collectionNames.statistics);

  expect(writes).toHaveLength(1);
  const [first, second, third] = await processor.statistics.kinds();
  expect([first?.jobName, second?.jobName, third?.jobName]).toEqual(['failing', 'flaky', 'quick']);
  expect(first).toMatchObject({ counts: { errors: 1 }, failureRate: 1, run: { count: 1 } });
  expect(second).toMatchObject({ counts: { retried: 1 }, failureRate: 1 });
  expect(third).toMatchObject({
    counts: { completed: 8 },
    failureRate: 0,
    run: { count: 8 },
    wait: { count: 8 },
  });
  expect(third?.wait?.p50).toBeGreaterThan(HOUR_MS / Math.SQRT2);
  expect(third?.wait?.p99).toBeLessThan(HOUR_MS * 2);
  expect(third?.run?.p99).toBeLessThan(HOUR_MS / 10);
  expect(third?.points.at(-1)?.completed ?? 0).toBe(8);

  const { sum, run, points } = await processor.statistics.range({ jobName: 'quick' });
  expect([points.length, sum.completed, run]).toEqual([60, 8, third?.run]);
  expect((await processor.statistics.range()).sum).toMatchObject({ completed: 8, errors: 1, retried: 1 });
});

describe('hours', () => {
  const day = Array.from({ length: 2 * 1440 }, (_, ago) => ago);
  const kind = { completed: 2, retried: 1, durationMs: 20, run: { b7: 3 }, wait: { b0: 1, b20: 2 } };

  test('make a day cost about 84 documents and a week 230, in two commands and one for the time', async () => {
    await count(day, { echo: kind });
    const processor = database.processor();
    await rollUp();
    for (const read of [
      () => processor.statistics.range({ range: '24h' }),
      () => processor.statistics.range({ range: '24h', jobName: 'echo' }),
      () => processor.statistics.kinds({ range: '24h' }),
    ]) {
      const { documents, commands } = await readDuring(read);
      expect(documents).toBeLessThanOrEqual(85);
      expect(documents).toBeGreaterThanOrEqual(23);
      expect(commands).toBe(2);
    }
    const week = await readDuring(() => processor.statistics.kinds({ range: '7d' }));
    expect(week.documents).toBeLessThanOrEqual(230);
    const hour = await readDuring(() => processor.statistics.kinds({ range: '1h' }));
    expect(hour.commands).toBe(1);
    expect(hour.documents).toBeLessThanOrEqual(60);
    expect(hour.documents).toBeGreaterThanOrEqual(55);
  });

  test('tell what their minutes tell, whenever they are added up', async () => {
    const ago = fc.uniqueArray(fc.integer({ min: 0, max: 30 * 60 }), { minLength: 1, maxLength: 40 });
    const kinds = fc.dictionary(
      fc.constantFrom('echo', 'a.b', 'constructor'),
      fc.record(
        {
          completed: fc.nat(9),
          errors: fc.nat(9),
          // Workers of earlier versions do not write it.
          run: fc.record({ b3: fc.integer({ min: 1, max: 9 }) }),
        },
        { requiredKeys: ['completed', 'errors'] },
      ),
      { minKeys: 1 },
    );
    const parts = fc.array(fc.record({ ago, kinds }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(parts, async (all) => {
        await Promise.all([minutes().deleteMany({}), hours().deleteMany({})]);
        const seen = new Set<number>();
        for (const { ago, kinds } of all) {
          const fresh = ago.filter((minute) => !seen.has(minute));
          for (const minute of fresh) seen.add(minute);
          if (fresh.length > 0) await count(fresh, kinds);
        }
        const processor = database.processor();
        const told = () =>
          Promise.all([
            processor.statistics.kinds({ range: '24h' }),
            processor.statistics.range({ range: '24h' }),
            processor.statistics.range({ range: '7d', jobName: 'a.b' }),
          ]);
        const byMinutes = await told();
        await Promise.all([rollUp(), rollUp()]);
        const byHours = await told();
        // Unless a new hour began in between.
        if (byMinutes[1].points[0]?.at.getTime() === byHours[1].points[0]?.at.getTime())
          expect(byHours).toEqual(byMinutes);
      }),
      { numRuns: 12 },
    );
  });

  test('are added up by the first tick of a scheduler, and looked at no more within the hour', async () => {
    await count([0, 30, 90, 150, 151], { echo: kind });
    const processor = database.processor();
    const ofHours = async (work: () => Promise<unknown>) =>
      (await database.commandsDuring(work)).filter(({ command }) =>
        [command.find, command.update].includes(collectionNames.statisticsHours),
      ).length;
    expect(await ofHours(() => processor.scheduleDueItems())).toBeGreaterThanOrEqual(2);
    const stored = await hours().find({}).toArray();
    const inHours = stored.reduce((sum, { total }) => sum + (total?.completed ?? 0), 0);
    expect(inHours).toBeGreaterThanOrEqual(3 * 2);
    expect(await ofHours(() => processor.scheduleDueItems())).toBe(0);
    expect(await completedIn(processor)).toBe(5 * 2);
    // By another process, none of the sums is made again.
    expect(await ofHours(() => database.processor().scheduleDueItems())).toBe(1);
  });

  test('tell how jobs waited for limits, for a time that begins at any minute', async () => {
    const limits = { [nameKey('import')]: { waits: 1, waitedMs: 10 } };
    const now = await databaseTime();
    const minute = now - (now % MINUTE_MS);
    const expireAt = new Date(now + HOUR_MS);
    await minutes().insertMany(
      Array.from({ length: 30 * 60 }, (_, ago) => ({
        ...{ _id: new Date(minute - ago * MINUTE_MS), limits, written: new Date(now), expireAt },
      })),
    );
    const processor = database.processor();
    const since = [1, 59, 60, 61, 119, 120, 121, 500, 1440].map((count) => count * MINUTE_MS);
    const told = () => Promise.all(since.map((time) => processor.statistics.waits({ since: time })));
    const byMinutes = await told();
    await rollUp();
    const byHours = await told();
    const { documents } = await readDuring(() => processor.statistics.waits({ since: '1d' }));
    expect(documents).toBeLessThanOrEqual(24 + 60 + 62);
    // Unless a new minute began in between.
    if (Math.floor((await databaseTime()) / MINUTE_MS) * MINUTE_MS === minute) {
      expect(byHours).toEqual(byMinutes);
      const waits = since.map((time) => time / MINUTE_MS);
      expect(byHours.map(([first]) => first?.waits)).toEqual(waits);
    }
  });

  test('go on where a scheduler died', async () => {
    await count(day.slice(0, 12 * 60), { echo: kind });
    const before = await completedIn(database.processor());
    await rollUp();
    const last = await hours().find({}).sort({ _id: -1 }).limit(3).toArray();
    await hours().deleteMany({ _id: { $in: last.map(({ _id }) => _id) } });
    expect(await completedIn(database.processor())).toBe(before);
    await rollUp();
    expect(await completedIn(database.processor())).toBe(before);
    expect(await hours().countDocuments()).toBeGreaterThanOrEqual(11);
  });

  test('are added up only when no worker can count in them any more', async () => {
    await count([90], { echo: kind });
    const [minute] = await minutes().find({}).toArray();
    const at = Number(minute?._id);
    const end = at - (at % HOUR_MS) + HOUR_MS;
    await rollUpHours(database.collections(), end + MINUTE_MS);
    expect(await hours().countDocuments()).toBe(0);
    await rollUpHours(database.collections(), end + 2 * MINUTE_MS);
    expect(await hours().countDocuments()).toBe(1);
  });

  test('keep the sums for 90 days', async () => {
    await count([200], { echo: kind });
    await rollUp();
    const [hour] = await hours().find({}).toArray();
    expect(Number(hour?.expireAt) - Number(hour?._id)).toBe(90 * 24 * HOUR_MS);
  });
});

test('a minute and an hour have at most 500 kinds, whose sizes are bounded', async () => {
  const now = await databaseTime();
  const minute = new Date(now - (now % MINUTE_MS));
  const kind = noKindSums();
  kind.counts.completed = 1;
  for (let bucket = 0; bucket < 70; bucket += 1) {
    countDuration(kind.run, 2 ** (bucket / 2));
    countDuration(kind.wait, 2 ** (bucket / 2));
  }
  for (const from of [0, 100, 350]) {
    const names = Array.from({ length: 250 }, (_, n) => `a-kind-of-jobs-${from + n}`);
    const byName = new Map(names.map((name) => [name, kind]));
    const total = { ...noCounts(), completed: 250 };
    await addCounts(minutes(), minute, { total, byName, byLimit: new Map() });
  }
  const [stored] = await minutes().find({}).toArray();
  expect(stored?.total).toEqual({ completed: 750 });
  const names = Object.keys(stored?.names ?? {}).length;
  expect(names).toBeGreaterThanOrEqual(350);
  expect(names).toBeLessThanOrEqual(500);
});

test.each([
  ['range', { range: '2h' }],
  ['kinds', { range: '' }],
] as const)('statistics.%s refuses %o', async (method, options) => {
  const call = database.processor().statistics[method](JSON.parse(JSON.stringify(options)));
  await expect(call).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path: 'range' }] });
});

async function completedIn(processor: RemoteProcessor): Promise<number> {
  const kinds: readonly KindStatistics[] = await processor.statistics.kinds({ range: '24h' });
  return kinds.reduce((sum, { counts }) => sum + counts.completed, 0);
}
