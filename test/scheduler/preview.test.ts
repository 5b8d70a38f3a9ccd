import { describe, expect, test } from 'vitest';
import { NotFoundError, ValidationError } from '../../src/index.js';
import { occurrencesOf, useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const { setup, makeDue } = database;

const hourly = { type: 'Delay', delay: '1h', jobName: 'anything', active: true, id: 'tick' } as const;

describe('a preview', () => {
  test('of options shows when it would be due, by the clock of its zone too, and adds nothing', async () => {
    const processor = await setup();
    const start = { startAt: '2999-12-31T00:00:00Z', timeZone: 'Asia/Tokyo', jobName: 'anything' };
    expect(await processor.schedules.preview({ type: 'Cron', cron: '30 2 * * *', ...start }, 2)).toEqual([
      { at: new Date('2999-12-31T17:30:00Z'), local: '3000-01-01T02:30:00+09:00' },
      { at: new Date('3000-01-01T17:30:00Z'), local: '3000-01-02T02:30:00+09:00' },
    ]);
    expect(await processor.getSchedulers()).toEqual([]);
  });

  test('of options by which an item would never be due is refused, as they would be', async () => {
    const processor = await setup();
    const options = { ...hourly, endAt: '2020-01-01T00:00:00Z' };
    await expect(processor.addScheduler(options)).rejects.toMatchObject({ issues: [{ path: 'endAt' }] });
    await expect(processor.schedules.preview(options)).rejects.toMatchObject({ issues: [{ path: 'endAt' }] });
  });

  test('of an item that is not active shows what would be if it were, to its end', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, active: false, maxOccurrences: 3 });
    const preview = await processor.schedules.preview('tick');
    expect(preview).toHaveLength(3);
    expect(await processor.getScheduler('tick')).toMatchObject({ active: false });
  });

  test('shows ten, or as many as asked', async () => {
    const processor = await setup();
    await processor.addScheduler(hourly);
    expect(await processor.schedules.preview('tick')).toHaveLength(10);
    expect(await processor.schedules.preview('tick', 1000)).toHaveLength(1000);
    await expect(processor.schedules.preview('tick', 1001)).rejects.toThrow(ValidationError);
    await expect(processor.schedules.preview('tick', 0)).rejects.toThrow(ValidationError);
  });

  test.each(['once', 'all', 'none'] as const)(
    'shows what will be made, also of what was missed: with %s',
    async (catchUp) => {
      const processor = await setup();
      await processor.addScheduler({ ...hourly, catchUp, overlap: 'skip' });
      await makeDue('tick', 4.5 * 3600);
      const shown = (await processor.schedules.preview('tick', 6)).map(({ at }) => at);
      await processor.updateScheduler('tick', { overlap: 'allow' });
      await processor.scheduleDueItems({ ahead: '1d' });
      expect(shown).toEqual(occurrencesOf(await processor.getJobs()).slice(0, 6));
    },
  );

  test('shows what was made ahead as well', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, maxOccurrences: 3 });
    const before = await processor.schedules.preview('tick');
    await processor.scheduleDueItems({ ahead: '150m' });
    expect(await processor.schedules.preview('tick')).toEqual(before);
    await processor.scheduleDueItems({ ahead: '1d' });
    expect(await processor.getScheduler('tick')).toMatchObject({ active: false });
    expect(await processor.schedules.preview('tick')).toEqual(before);
    expect(await processor.schedules.preview('tick', 2)).toEqual(before.slice(0, 2));
    await database.elapse(3700);
    expect(await processor.schedules.preview('tick')).toHaveLength(2);
  });

  test('of an item that nobody knows, or of bad options, is an error', async () => {
    const processor = await setup();
    await expect(processor.schedules.preview('nobody')).rejects.toThrow(NotFoundError);
    const bad = { type: 'Cron', cron: '61 * * * *', jobName: 'anything' } as const;
    await expect(processor.schedules.preview(bad)).rejects.toMatchObject({ issues: [{ path: 'cron' }] });
  });

  test('of the last moments there are comes to an end', async () => {
    const processor = await setup();
    const startAt = new Date(Date.UTC(9999, 11, 31, 22));
    expect(await processor.schedules.preview({ ...hourly, startAt })).toHaveLength(2);
  });
});

describe('running an item now', () => {
  test('adds a job beside its occurrences, at once, whether it is active or not', async () => {
    const processor = await setup();
    const input = { n: 1 };
    const jobOptions = { priority: 7 };
    await processor.addScheduler({
      ...hourly,
      active: false,
      input,
      jobOptions,
      timeField: 'at',
      jitter: '1h',
    });
    const id = await processor.schedules.runNow('tick');
    const job = await processor.getJob(id);
    expect(job).toMatchObject({ jobName: 'anything', priority: 7, status: 'queued' });
    expect(job?.input).toEqual({ n: 1, at: job?.runAt.toISOString() });
    expect(job).not.toHaveProperty('occurrence');
    expect(await processor.getScheduler('tick')).toMatchObject({
      occurrences: 0,
      lastCallTime: null,
      version: 1,
    });
    expect(await processor.processNextJob()).toBe(true);
  });

  test('holds up no occurrence that must not overlap', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, overlap: 'skip' });
    await processor.schedules.runNow('tick');
    await makeDue('tick');
    expect(await processor.scheduleDueItems()).toHaveLength(1);
  });

  test('an item that nobody knows is an error', async () => {
    const processor = await setup();
    await expect(processor.schedules.runNow('nobody')).rejects.toThrow(NotFoundError);
  });
});
