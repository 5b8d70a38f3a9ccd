import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { defineJob, type RemoteProcessor, Snooze, type StatisticsPoint } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { anything, echo, failing, flaky, gatedJob } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const MINUTE_MS = 60_000;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** What was counted in the last hour: the sum of its points, of those counts that are not 0. */
async function counted(processor: RemoteProcessor, jobName?: string): Promise<Record<string, number>> {
  const points = await processor.statistics.get(jobName === undefined ? {} : { jobName });
  const sums: Record<string, number> = {};
  for (const { at: _, durationMs: __, ...counts } of points) {
    for (const [name, count] of Object.entries(counts)) {
      if (count > 0) sums[name] = (sums[name] ?? 0) + count;
    }
  }
  return sums;
}

/** The commands that wrote statistics. */
async function writesDuring(work: () => Promise<unknown>): Promise<number> {
  const commands = await database.commandsDuring(work);
  return commands.filter(({ command }) => command.findAndModify === collectionNames.statistics).length;
}

const minutes = () => database.db.collection<{ _id: Date }>(collectionNames.statistics);

describe('a drain', () => {
  test('counts how its attempts ended, and how long they took', async () => {
    const processor = database.processor();
    const snoozing = defineJob({
      name: 'snoozing',
      run: () => {
        throw new Snooze('1h');
      },
    });
    const { factory, gate } = gatedJob();
    await processor.addJobFactories([echo, failing, flaky, snoozing, factory]);
    await processor.addJobs(['failing', 'flaky', 'snoozing', 'gated'].map((name) => ({ name })));
    await processor.addJob('echo', {});
    const cancelled = await processor.addJob('gated', 'cancelled');
    const draining = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(2));
    await processor.cancelJob(cancelled);
    const began = performance.now();
    await eventually(() => expect(performance.now() - began).toBeGreaterThan(50));
    gate.open();
    await draining;

    const all = { completed: 2, errors: 1, retried: 1, snoozed: 1, cancelled: 1 };
    expect(await counted(processor)).toEqual(all);
    expect(await counted(processor, 'gated')).toEqual({ completed: 1, cancelled: 1 });
    const durationMs = (await processor.statistics.get()).reduce((sum, point) => sum + point.durationMs, 0);
    expect(durationMs).toBeGreaterThanOrEqual(2 * 50);
  });

  test('writes once what it counted, at its end', async () => {
    const processor = database.processor({ maxThreads: 3 });
    await processor.addJobFactory(anything);
    await processor.addJobs(Array.from({ length: 50 }, (_, input) => ({ name: 'anything', input })));
    expect(await writesDuring(() => processor.drain())).toBe(1);
    expect(await counted(processor)).toEqual({ completed: 50 });
  });

  test('that did nothing writes nothing', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    expect(await writesDuring(() => processor.drain())).toBe(0);
    expect(await writesDuring(() => processor.scheduleDueItems())).toBe(0);
    expect(await minutes().countDocuments()).toBe(0);
  });

  test('that goes on writes each minute, once', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const processor = database.processor({ maxThreads: 2 });
    const { factory, gate } = gatedJob();
    await processor.addJobFactories([echo, factory]);
    await processor.addJob('echo', {}, { id: 'first' });
    await processor.addJob('gated');
    const draining = processor.drain();
    await eventually(async () => expect(await processor.getJobStatus('first')).toBe('completed'));
    expect(await counted(processor)).toEqual({});
    const writes = await writesDuring(async () => {
      vi.advanceTimersByTime(3 * MINUTE_MS);
      await eventually(async () => expect(await counted(processor)).toEqual({ completed: 1 }));
    });
    expect(writes).toBe(1);
    gate.open();
    await draining;
    expect(await counted(processor)).toEqual({ completed: 2 });
  });
});

describe('processNextJob', () => {
  test('costs at most 3 commands, and writes what it gathered when nothing is left', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    for (let n = 0; n < 3; n += 1) await processor.addJob('echo', {});
    for (let n = 0; n < 3; n += 1) {
      const commands = await database.commandsForJobs(() => processor.processNextJob());
      expect(commands.length).toBeLessThanOrEqual(3);
    }
    expect(await counted(processor)).toEqual({});
    expect(await processor.processNextJob()).toBe(false);
    expect(await counted(processor)).toEqual({ completed: 3 });
  });
});

test('jobs of pullNextJob are counted as well, once a minute has passed', async () => {
  const processor = database.processor();
  await processor.addJobFactories([echo, flaky]);
  for (const name of ['echo', 'flaky']) await processor.addJob(name, name === 'echo' ? {} : undefined);
  const settle = async () => {
    const job = await processor.pullNextJob();
    if (job?.jobName === 'echo') await processor.completeJob(job);
    else if (job) await processor.failJob(job, new Error('No.'));
  };
  expect(await writesDuring(settle)).toBe(0);
  const aMinuteLater = performance.now() + MINUTE_MS;
  vi.spyOn(performance, 'now').mockReturnValue(aMinuteLater);
  expect(await writesDuring(settle)).toBe(1);
  expect(await counted(processor)).toEqual({ completed: 1, retried: 1 });
});

test('a late outcome is counted as stale, and a lost attempt as recovered', async () => {
  const { factory, gate } = gatedJob();
  const slow = database.processor();
  await slow.addJobFactory(factory);
  const id = await slow.addJob('gated');
  const draining = slow.drain();
  await eventually(() => expect(gate.arrived).toBe(1));
  await database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: id }, { $set: { 'lease.expires': new Date(0) } });
  const other = database.processor();
  await other.scheduleDueItems();
  expect(await counted(other)).toEqual({ recovered: 1 });
  gate.open();
  await draining;
  expect(await counted(other)).toEqual({ recovered: 1, stale: 1 });
});

test('a job that an earlier version has queued is made claimable, and not counted as recovered', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const id = await processor.addJob('echo', {});
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  await jobs.updateOne({ _id: id }, { $unset: { claimable: true } });
  expect(await processor.recoverJobs()).toBe(0);
  expect(await jobs.findOne({ _id: id })).toMatchObject({ claimable: true });
  await processor.scheduleDueItems();
  expect(await counted(processor)).toEqual({});
});

test.each([-10, 10])(
  'a worker whose clock is %i minutes off counts in the minute that it is by the database',
  async (off) => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    await processor.addJob('echo', {});
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + off * MINUTE_MS });
    expect(await writesDuring(() => processor.drain())).toBe(2);
    await processor.addJob('echo', {});
    expect(await writesDuring(() => processor.drain())).toBe(1);
    vi.useRealTimers();
    expect(await counted(processor)).toEqual({ completed: 2 });
    // How long the first one waited was measured by the wrong clock.
    const [kind] = await processor.statistics.kinds();
    expect([kind?.run?.count, kind?.wait?.count]).toEqual([2, 1]);
    expect(kind?.wait?.p99).toBeLessThan(MINUTE_MS);
    const [point] = (await processor.statistics.get()).filter(({ completed }) => completed > 0);
    expect(Math.abs(Date.now() - Number(point?.at))).toBeLessThan(3 * MINUTE_MS);
  },
);

test('workers that count at the same time lose nothing', async () => {
  const processors = Array.from({ length: 8 }, () => database.processor());
  for (const processor of processors) await processor.addJobFactory(echo);
  await processors[0]?.addJobs(Array.from({ length: 100 }, () => ({ name: 'echo', input: {} })));
  await Promise.all(processors.map((processor) => processor.drain()));
  expect(await counted(database.processor())).toEqual({ completed: 100 });
});

describe('job names', () => {
  test('of whatever form are counted apart', async () => {
    const processor = database.processor();
    const names = ['a', 'a.b', 'a.b.c', '_a', '0', '42', 'constructor', 'toString', 'a/2Eb'];
    await processor.addJobFactories(names.map((name) => defineJob({ name, run: () => {} })));
    for (const [index, name] of names.entries()) {
      await processor.addJobs(Array.from({ length: index + 1 }, () => ({ name })));
    }
    await processor.drain();
    for (const [index, name] of names.entries())
      expect(await counted(processor, name), name).toEqual({ completed: index + 1 });
  });
});

describe('getStatistics', () => {
  /** Documents of minutes before now, as workers write them. */
  async function count(agoMinutes: readonly number[]): Promise<void> {
    const { localTime } = await database.db.command({ hello: 1 });
    const now = Number(localTime);
    const documents = agoMinutes.map((ago) => ({
      _id: new Date(now - (now % MINUTE_MS) - ago * MINUTE_MS),
      total: { completed: 1, durationMs: 10 },
    }));
    if (documents.length > 0) await minutes().insertMany(documents);
  }

  test('gives a point for each minute of the last hour, empty ones included', async () => {
    const points = await database.processor().statistics.get();
    expect(points).toHaveLength(60);
    expect(points[0]).toEqual({
      at: expect.any(Date),
      ...{
        completed: 0,
        errors: 0,
        cancelled: 0,
        retried: 0,
        snoozed: 0,
        suspended: 0,
        givenBack: 0,
        stale: 0,
      },
      ...{ recovered: 0, durationMs: 0 },
    });
    points.forEach(({ at }, n) => {
      expect(at.getTime()).toBe(Number(points[0]?.at) + n * MINUTE_MS);
    });
  });

  test('reads one document for each minute, and counts each in the step that it lies in', async () => {
    const cases = fc.record({
      ago: fc.uniqueArray(fc.nat(200), { maxLength: 20 }),
      sinceMinutes: fc.integer({ min: 1, max: 180 }),
      stepMinutes: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ ago, sinceMinutes, stepMinutes }) => {
        await minutes().deleteMany({});
        await count(ago);
        const step = stepMinutes * MINUTE_MS;
        const points = await database.processor().statistics.get({ since: sinceMinutes * MINUTE_MS, step });
        expect(points).toHaveLength(Math.ceil(sinceMinutes / stepMinutes));
        const within = (point: StatisticsPoint, at: Date) =>
          at.getTime() >= point.at.getTime() && at.getTime() < point.at.getTime() + step;
        const stored = await minutes().find().toArray();
        for (const [n, point] of points.entries()) {
          expect(point.at.getTime()).toBe(Number(points[0]?.at) + n * step);
          expect(point.at.getTime() % MINUTE_MS).toBe(0);
          const completed = stored.filter(({ _id }) => within(point, _id)).length;
          expect(point).toMatchObject({ completed, durationMs: 10 * completed });
        }
      }),
      { numRuns: 12 },
    );
  });

  test('in one step of an hour the last hour is one point, of its 60 minutes and no others', async () => {
    // The minute may change meanwhile.
    await count([0, 1, 30, 58, 60, 61]);
    const points = await database.processor().statistics.get({ since: '1h', step: '1h' });
    expect(points).toMatchObject([{ completed: 4 }]);
  });

  test.each([
    [{ since: '9 days' }, 'since'],
    [{ since: 0 }, 'since'],
    [{ step: '90s' }, 'step'],
    [{ step: 0 }, 'step'],
    [{ jobName: '$where' }, 'jobName'],
    [{ jobName: 'a b' }, 'jobName'],
  ])('refuses %o', async (options, path) => {
    await expect(database.processor().statistics.get(options)).rejects.toMatchObject({
      code: 'validation_failed',
      issues: [{ path }],
    });
  });
});

test('minutes expire after 8 days', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  await processor.drain();
  const [minute] = await minutes().find<{ _id: Date; expireAt: Date }>({}).toArray();
  const keptMs = Number(minute?.expireAt) - Number(minute?._id);
  expect(keptMs / MINUTE_MS).toBeCloseTo(8 * 24 * 60, -1);
  const indexes = await minutes().indexes();
  expect(indexes).toContainEqual(expect.objectContaining({ key: { expireAt: 1 }, expireAfterSeconds: 0 }));
});
