import { describe, expect, test } from 'vitest';
import type { DelayOptions } from '../../src/index.js';
import { MAX_OCCURRENCES_PER_TICK } from '../../src/scheduler/schedule-due-items.js';
import { later, occurrencesOf, useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const { setup, makeDue, storeLargeInput } = database;

const MINUTE = 60;
const everyMinute = { type: 'Delay', delay: '1m', jobName: 'flaky', active: true, id: 'tick' } as const;

/** What a tick makes of an item whose next call was due so long ago. */
async function madeAfter(seconds: number, options: Partial<DelayOptions> = {}, ahead = 0) {
  const processor = await setup();
  await processor.addScheduler({ ...everyMinute, ...options });
  const due = await makeDue('tick', seconds);
  const jobIds = await processor.scheduleDueItems({ ahead });
  const jobs = await database.jobs().find().toArray();
  expect(jobs.map(({ _id }) => _id).sort()).toEqual(jobIds.sort());
  return { processor, due, made: occurrencesOf(jobs), item: await processor.getScheduler('tick') };
}

describe('once', () => {
  test('makes one job for all that was missed, and keeps the rhythm', async () => {
    const { processor, due, made, item } = await madeAfter(10.5 * 3600, { delay: '1h' });
    expect(made).toEqual([due]);
    expect(item).toMatchObject({ lastCallTime: due, occurrences: 1, skipped: 0 });
    expect(item?.nextCallTime).toEqual(later(due, 11 * 3600)[0]);
    expect(await processor.scheduleDueItems()).toEqual([]);
  });

  test('makes a job for each that is at most 90 s late: a tick that comes late misses nothing', async () => {
    const { due, made } = await madeAfter(75, { delay: '10s' });
    expect(made).toEqual([due, ...later(due, 10, 20, 30, 40, 50, 60, 70)]);
  });

  test('makes one for those that are later, and one for each of the others', async () => {
    const { due, made, item } = await madeAfter(10.25 * MINUTE);
    expect(made).toEqual([due, ...later(due, 9 * MINUTE, 10 * MINUTE)]);
    expect(item).toMatchObject({ occurrences: 3, nextCallTime: later(due, 11 * MINUTE)[0] });
  });

  test('makes one job of years, and the next call lies in the future', async () => {
    const processor = await setup();
    await processor.addScheduler({
      type: 'Cron',
      cron: '0 0 1 1 *',
      jobName: 'flaky',
      active: true,
      id: 'yearly',
    });
    await makeDue('yearly', 3 * 366 * 86_400);
    expect(await processor.scheduleDueItems()).toHaveLength(1);
    expect(await processor.scheduleDueItems()).toHaveLength(0);
    const item = await processor.getScheduler('yearly');
    expect(item?.nextCallTime).toEqual(new Date(Date.UTC(new Date().getUTCFullYear() + 1, 0, 1)));
  });

  test('makes one of what was missed, and each that is ahead', async () => {
    const { due, made } = await madeAfter(10.25 * MINUTE, {}, 2 * MINUTE * 1000);
    expect(made).toEqual([due, ...later(due, ...[9, 10, 11, 12].map((n) => n * MINUTE))]);
  });

  test('counts the one towards maxOccurrences', async () => {
    const { due, made, item } = await madeAfter(10.25 * MINUTE, { maxOccurrences: 2 }, 5 * MINUTE * 1000);
    expect(made).toEqual([due, ...later(due, 9 * MINUTE)]);
    expect(item).toMatchObject({ active: false, nextCallTime: null, occurrences: 2 });
  });
});

describe('all', () => {
  test('makes one job for each that was missed, oldest first', async () => {
    const { due, made, item } = await madeAfter(4.5 * MINUTE, { catchUp: 'all' });
    expect(made).toEqual([due, ...later(due, ...[1, 2, 3, 4].map((n) => n * MINUTE))]);
    expect(item).toMatchObject({ occurrences: 5, lastCallTime: made.at(-1) });
  });

  test('makes so many per tick and the rest in the next ones, leaving none out; other items need not wait', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...everyMinute, catchUp: 'all' });
    await processor.addScheduler({ ...everyMinute, id: 'other' });
    const missed = 2 * MAX_OCCURRENCES_PER_TICK + 10;
    const due = await makeDue('tick', (missed - 0.5) * MINUTE);
    await makeDue('other');
    const counts: number[] = [];
    for (let tick = 0; tick < 4; tick += 1) counts.push((await processor.scheduleDueItems()).length);
    expect(counts).toEqual([MAX_OCCURRENCES_PER_TICK + 1, MAX_OCCURRENCES_PER_TICK, 10, 0]);
    const jobs = await database.jobs().find({ 'occurrence.item': 'tick' }).toArray();
    const at = occurrencesOf(jobs.map(({ _id: id, ...job }) => ({ id, ...job })));
    expect(at).toEqual(later(due, ...Array.from({ length: missed }, (_, n) => n * MINUTE)));
  });

  test('makes as many of large jobs in a tick, in several transactions; other items need not wait', async () => {
    const processor = await setup();
    for (const id of ['large', 'larger']) {
      await processor.addScheduler({ ...everyMinute, jobName: 'anything', catchUp: 'all', id, delay: '1h' });
      await storeLargeInput(id, 'x'.repeat(3_000_000));
      await makeDue(id, 7.5 * 3600);
    }
    await processor.addScheduler({ ...everyMinute, id: 'other' });
    await makeDue('other');
    expect(await processor.scheduleDueItems()).toHaveLength(8 + 8 + 1);
    const firstOnes = await database
      .jobs()
      .find({}, { sort: { created: 1 }, limit: 10 })
      .toArray();
    expect(firstOnes.map(({ occurrence }) => occurrence?.item)).toContain('other');
  });

  test('makes no more than so many of them', async () => {
    const missed = MAX_OCCURRENCES_PER_TICK + 10;
    const input = 'x'.repeat(20_000);
    const { processor, due, made } = await madeAfter((missed - 0.5) * MINUTE, {
      catchUp: 'all',
      jobName: 'anything',
      input,
    });
    const expected = later(due, ...Array.from({ length: missed }, (_, n) => n * MINUTE));
    expect(made).toEqual(expected.slice(0, MAX_OCCURRENCES_PER_TICK));
    expect(await processor.scheduleDueItems()).toHaveLength(10);
  });

  test('makes no more than maxOccurrences', async () => {
    const { due, made, item } = await madeAfter(10.5 * MINUTE, { catchUp: 'all', maxOccurrences: 3 });
    expect(made).toEqual([due, ...later(due, MINUTE, 2 * MINUTE)]);
    expect(item).toMatchObject({ active: false, nextCallTime: null, occurrences: 3 });
  });

  test('makes none after endAt, and one exactly then', async () => {
    const now = Math.floor((await database.now()).getTime() / 1000);
    const endAt = new Date((now - 8 * MINUTE) * 1000);
    const processor = await setup();
    await processor.addScheduler({ ...everyMinute, catchUp: 'all' });
    const first = new Date(endAt.getTime() - 2 * MINUTE * 1000);
    await database.items().updateOne({ _id: 'tick' }, { $set: { nextCallTime: first, endAt } });
    await processor.scheduleDueItems();
    expect(occurrencesOf(await processor.getJobs())).toEqual([first, ...later(first, MINUTE, 2 * MINUTE)]);
    expect(await processor.getScheduler('tick')).toMatchObject({ active: false, nextCallTime: null });
  });
});

describe('none', () => {
  test('makes no job for what is more than 90 s late', async () => {
    const { made, item, due } = await madeAfter(3 * 3600 + 100, { catchUp: 'none', delay: '1h' });
    expect(made).toEqual([]);
    expect(item).toMatchObject({ active: true, lastCallTime: null, occurrences: 0 });
    expect(item?.nextCallTime).toEqual(later(due, 4 * 3600)[0]);
  });

  test('makes a job for each that is less late: a tick that comes late misses nothing', async () => {
    const { due, made } = await madeAfter(10 * MINUTE + 30, { catchUp: 'none', delay: '30s' });
    expect(made).toEqual(later(due, 570, 600, 630));
  });

  test('makes the job of a moment that is added at most 90 s late', async () => {
    const processor = await setup();
    const at = new Date(Date.now() - 60_000);
    await processor.addScheduler({ type: 'At', at, jobName: 'flaky', catchUp: 'none', active: true });
    expect(await processor.scheduleDueItems()).toHaveLength(1);
  });

  test('ends an item of which nothing is left', async () => {
    const processor = await setup();
    const at = new Date(Date.now() + 86_400_000);
    const once = { type: 'At', jobName: 'flaky', catchUp: 'none', active: true, id: 'once' } as const;
    await processor.addScheduler({ ...once, at });
    await makeDue('once', 100);
    expect(await processor.scheduleDueItems()).toEqual([]);
    expect(await processor.getScheduler('once')).toMatchObject({
      active: false,
      nextCallTime: null,
      occurrences: 0,
    });
  });
});

describe('scheduleNextJob', () => {
  test('makes the jobs one at a time, oldest first', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...everyMinute, catchUp: 'all' });
    const due = await makeDue('tick', 2.5 * MINUTE);
    const made: unknown[] = [];
    for (let id = await processor.scheduleNextJob(); id; id = await processor.scheduleNextJob())
      made.push((await processor.getJob(id))?.occurrence?.at);
    expect(made).toEqual([due, ...later(due, MINUTE, 2 * MINUTE)]);
  });

  test('passes over what makes no job', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...everyMinute, delay: '1h', catchUp: 'none' });
    await processor.addScheduler({ ...everyMinute, id: 'other' });
    await makeDue('tick', 3 * MINUTE);
    await makeDue('other');
    const id = await processor.scheduleNextJob();
    expect(await processor.getJob(String(id))).toMatchObject({ occurrence: { item: 'other' } });
    expect(await processor.scheduleNextJob()).toBeUndefined();
  });
});
