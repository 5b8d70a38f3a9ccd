import { describe, expect, test } from 'vitest';
import {
  ConflictError,
  type LogFields,
  NotFoundError,
  type SchedulerChanges,
  ValidationError,
} from '../../src/index.js';
import { requireItem } from '../../src/scheduler/find-items.js';
import { silent } from '../database.js';
import { later, useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const { setup, makeDue, items } = database;

const hourly = { type: 'Delay', delay: '1h', jobName: 'anything', id: 'tick' } as const;
const nine = { type: 'Cron', cron: '0 9 * * *', jobName: 'anything', id: 'nine' } as const;
const yesterday = new Date(Date.now() - 86_400_000);

describe('updating', () => {
  test('changes what is given, keeps the rest, and gives the item', async () => {
    const processor = await setup();
    const retryDelay = { kind: 'exponential', base: '1s', cap: '1m' } as const;
    const jobOptions = { priority: 3, retryDelay };
    await processor.addScheduler({
      ...hourly,
      input: { a: 1 },
      jitter: '5s',
      jobOptions,
      startAt: yesterday,
    });
    const before = await processor.getScheduler('tick');
    const updated = await processor.updateScheduler('tick', { title: 'New', input: { $set: '$$NOW' } });
    expect(updated).toEqual({ ...before, title: 'New', input: { $set: '$$NOW' }, version: 2 });
    expect(await processor.getScheduler('tick')).toEqual(updated);
  });

  test('null takes away what is optional, and is itself an input', async () => {
    const processor = await setup();
    await processor.addScheduler({
      ...hourly,
      title: 'a',
      jitter: '5s',
      maxOccurrences: 7,
      endAt: '2999-01-01T00:00:00Z',
    });
    const updated = await processor.updateScheduler('tick', {
      title: null,
      jitter: null,
      maxOccurrences: null,
      endAt: null,
      input: null,
    });
    expect(updated).toMatchObject({ title: '', input: null });
    expect(Object.keys(updated)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/jitter|max|endAt/)]),
    );
    expect(await items().findOne()).not.toHaveProperty('jitter');
  });

  test('keeps the rhythm unless the times change', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, active: true });
    const nextCallTime = await makeDue('tick', -100);
    expect(
      await processor.updateScheduler('tick', { input: 1, catchUp: 'all', delay: 3_600_000 }),
    ).toMatchObject({
      nextCallTime,
    });
    const { nextCallTime: changed } = await processor.updateScheduler('tick', { delay: '2h' });
    expect(Number(changed) - Number(nextCallTime)).toBeGreaterThan(3_600_000);
  });

  test.each<[string, SchedulerChanges]>([
    ['an end', { endAt: '2999-01-01T00:00:00Z' }],
    ['a number of occurrences', { maxOccurrences: 3 }],
    ['a time zone, which a delay does not know', { timeZone: 'Asia/Tokyo' }],
  ])('keeps the rhythm with another end: %s', async (_, changes) => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, active: true });
    const nextCallTime = await makeDue('tick', 5);
    expect(await processor.updateScheduler('tick', changes)).toMatchObject({ active: true, nextCallTime });
    expect(await processor.scheduleDueItems()).toHaveLength(1);
  });

  test('with another zone or start moves a pattern', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...nine, active: true });
    const before = await processor.getScheduler('nine');
    const { nextCallTime } = await processor.updateScheduler('nine', { timeZone: 'Asia/Tokyo' });
    expect(nextCallTime).not.toEqual(before?.nextCallTime);
    expect(await processor.updateScheduler('nine', { startAt: '2999-01-01T00:00:00Z' })).toMatchObject({
      nextCallTime: new Date('2999-01-01T00:00:00Z'),
    });
  });

  test('with an end before the next occurrence is refused, and says when that is', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, active: true });
    const next = await makeDue('tick', -100);
    const message = `it would never be due: expected a moment after ${next.toISOString()}, when it is due`;
    const [endAt] = later(next, -10);
    await expect(processor.updateScheduler('tick', { endAt })).rejects.toMatchObject({
      issues: [{ path: 'endAt', message }],
    });
    expect(await processor.updateScheduler('tick', { endAt: next })).toMatchObject({ nextCallTime: next });
  });

  test('an expression takes the place of lists, lists of an expression, and another type of both', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...nine, timeZone: 'Asia/Tokyo', input: 1 });
    const lists = await processor.updateScheduler('nine', { minute: [0], hour: [9], dayOfWeek: [0] });
    expect(lists).toMatchObject({ minute: [0], hour: [9], dayOfMonth: [], timeZone: 'Asia/Tokyo', input: 1 });
    expect(lists).not.toHaveProperty('cron');
    expect(await processor.updateScheduler('nine', { month: [2] })).toMatchObject({
      minute: [0],
      month: [2],
    });
    const cron = await processor.updateScheduler('nine', { cron: '@daily' });
    expect(cron).toMatchObject({ cron: '@daily', input: 1 });
    expect(cron).not.toHaveProperty('minute');
    const delay = await processor.updateScheduler('nine', { type: 'Delay', delay: '5m' });
    expect(delay).toMatchObject({ type: 'Delay', delay: 300_000, input: 1 });
    expect(delay).not.toHaveProperty('cron');
  });

  test('null takes away no list, nor expression, that the item does not have', async () => {
    const processor = await setup();
    await processor.addScheduler(nine);
    const updated = await processor.updateScheduler('nine', { title: 'New', minute: null, dayOfWeek: null });
    expect(updated).toMatchObject({ title: 'New', cron: '0 9 * * *' });
    await processor.updateScheduler('nine', { minute: [0], hour: [9] });
    expect(await processor.updateScheduler('nine', { cron: null, hour: null })).toMatchObject({
      minute: [0],
      hour: [],
    });
  });

  test.each<[string, SchedulerChanges]>([
    ['its expression', { cron: null }],
    ['its expression, for empty lists', { minute: [], hour: [] }],
    ['all its lists', { minute: null, hour: null }],
    ['its other type', { type: 'Cron' }],
  ])('does not make an item of every minute by taking away %s', async (what, changes) => {
    const processor = await setup();
    if (what === 'its other type') await processor.addScheduler({ ...hourly, id: 'nine' });
    else if (what === 'all its lists')
      await processor.addScheduler({ type: 'Cron', minute: [0], hour: [9], jobName: 'anything', id: 'nine' });
    else await processor.addScheduler(nine);
    const before = await processor.getScheduler('nine');
    await expect(processor.updateScheduler('nine', changes)).rejects.toMatchObject({
      issues: [{ path: 'cron', message: expect.stringContaining("'* * * * *' is every minute") }],
    });
    expect(await processor.getScheduler('nine')).toEqual(before);
  });

  test('with an option that nobody knows is refused, also with null', async () => {
    const processor = await setup();
    await processor.addScheduler(nine);
    const unknown: object = { foo: null };
    await expect(processor.updateScheduler('nine', unknown)).rejects.toMatchObject({
      issues: [{ path: 'foo' }],
    });
  });

  test('starts and stops it', async () => {
    const processor = await setup();
    await processor.addScheduler(hourly);
    expect(await processor.updateScheduler('tick', { active: true })).toMatchObject({
      active: true,
      nextCallTime: expect.any(Date),
    });
    expect(await processor.updateScheduler('tick', { active: false })).toMatchObject({
      active: false,
      nextCallTime: null,
    });
  });

  const refused: [string, SchedulerChanges, string][] = [
    ['an input that the job refuses', { jobName: 'echo' }, 'input'],
    ['a delay below a second', { delay: 1 }, 'delay'],
    ['31 February', { type: 'Cron', cron: '0 0 31 2 *' }, 'cron'],
    ['31 February by lists', { type: 'Cron', dayOfMonth: [31], month: [2] }, 'dayOfMonth'],
    ['an end that has passed', { endAt: yesterday }, 'endAt'],
    ['an option of another type', { at: yesterday }, 'at'],
    ['a catch-up of its own', { catchUp: null, overlap: null, jitter: '2d' }, 'jitter'],
  ];
  test.each(refused)('with %s is refused, and changes nothing', async (_, changes, path) => {
    const processor = await setup();
    for (const active of [false, true]) {
      const id = `item ${active}`;
      await processor.addScheduler({ ...hourly, input: 7, active, id });
      const before = await processor.getScheduler(id);
      const update = processor.updateScheduler(id, changes);
      await expect(update).rejects.toThrow(ValidationError);
      await expect(update).rejects.toMatchObject({ issues: [{ path }] });
      expect(await processor.getScheduler(id)).toEqual(before);
    }
  });

  test('cannot change an id, nor an item that is not there', async () => {
    const processor = await setup();
    await processor.addScheduler(hourly);
    const id: object = { id: 'other' };
    await expect(processor.updateScheduler('tick', id)).rejects.toMatchObject({ issues: [{ path: 'id' }] });
    await expect(processor.updateScheduler('nobody', { title: '' })).rejects.toThrow(NotFoundError);
  });

  test('by two at once keeps the changes of both', async () => {
    const processor = await setup();
    await processor.addScheduler(hourly);
    const changes = [{ title: 'a' }, { description: 'b' }, { input: 3 }, { delay: '2h' }, { jitter: '1s' }];
    await Promise.all(changes.map((change) => processor.updateScheduler('tick', change)));
    expect(await processor.getScheduler('tick')).toMatchObject({
      ...{ title: 'a', description: 'b', input: 3, delay: 7_200_000, jitter: 1000, version: 6 },
    });
  });

  test('by two at once never makes an item that neither would be allowed', async () => {
    const processor = await setup();
    for (let round = 0; round < 5; round += 1) {
      const id = `item ${round}`;
      await processor.addScheduler({ ...hourly, input: {}, id });
      const done = await Promise.allSettled([
        processor.updateScheduler(id, { jobName: 'echo' }),
        processor.updateScheduler(id, { input: 7 }),
      ]);
      expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await processor.getScheduler(id)).not.toMatchObject({ jobName: 'echo', input: 7 });
    }
  });
});

describe('an item that has ended', () => {
  const start = async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, maxOccurrences: 1, active: true });
    await makeDue('tick');
    await processor.scheduleDueItems();
    expect(await processor.getScheduler('tick')).toMatchObject({ active: false, occurrences: 1 });
    return processor;
  };

  test('cannot be activated, and the error says why', async () => {
    const processor = await start();
    const why = { issues: [{ path: 'maxOccurrences', message: expect.stringContaining('more than the 1') }] };
    await expect(processor.activateScheduler('tick')).rejects.toMatchObject(why);
    await expect(processor.updateScheduler('tick', { active: true })).rejects.toMatchObject(why);
  });

  test('can be given another title, and may go on when it may have more', async () => {
    const processor = await start();
    expect(await processor.updateScheduler('tick', { title: 'Done' })).toMatchObject({ active: false });
    expect(await processor.updateScheduler('tick', { maxOccurrences: 2 })).toMatchObject({ active: false });
    expect(await processor.activateScheduler('tick')).toMatchObject({ active: true });
  });

  test('stays so when its end is taken away, until it is activated', async () => {
    const processor = await start();
    const updated = await processor.updateScheduler('tick', { maxOccurrences: null });
    expect(updated).toMatchObject({ active: false, ended: true });
    expect(await processor.activateScheduler('tick')).toMatchObject({ active: true });
  });

  test('at its moment can be set for another, not for the same', async () => {
    const processor = await setup();
    await processor.addScheduler({
      type: 'At',
      at: yesterday,
      jobName: 'anything',
      active: true,
      id: 'once',
    });
    await processor.scheduleDueItems();
    await expect(processor.activateScheduler('once')).rejects.toMatchObject({ issues: [{ path: 'at' }] });
    const [at] = later(yesterday, 7 * 86_400);
    expect(await processor.updateScheduler('once', { at, active: true })).toMatchObject({ nextCallTime: at });
  });
});

describe('activating and deactivating', () => {
  test('start from now, and leave what is so already as it is', async () => {
    const processor = await setup();
    await processor.addScheduler(hourly);
    const started = await processor.activateScheduler('tick');
    expect(Number(started.nextCallTime) - Number(await database.now())).toBeGreaterThan(3_500_000);
    const nextCallTime = await makeDue('tick', 100);
    expect(await processor.activateScheduler('tick')).toMatchObject({
      active: true,
      nextCallTime,
      version: 2,
    });
    const stopped = await processor.deactivateScheduler('tick');
    expect(stopped).toMatchObject({ active: false, nextCallTime: null, version: 3 });
    expect(await processor.deactivateScheduler('tick')).toEqual(stopped);
    expect(await processor.scheduleDueItems()).toEqual([]);
  });

  test('an occurrence that has its job does not come again', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...nine, active: true });
    const [next] = await processor.schedules.preview('nine', 1);
    const after = later(next?.at ?? new Date(0), 3600)[0] ?? null;
    await items().updateOne({}, { $set: { nextCallTime: after, lastCallTime: next?.at ?? null } });
    await processor.deactivateScheduler('nine');
    const { nextCallTime } = await processor.activateScheduler('nine');
    expect(nextCallTime).toEqual(later(next?.at ?? new Date(0), 86_400)[0]);
  });

  test('an item that is not there is an error', async () => {
    const processor = await setup();
    await expect(processor.activateScheduler('nobody')).rejects.toThrow(NotFoundError);
    await expect(processor.deactivateScheduler('nobody')).rejects.toThrow(NotFoundError);
  });
});

describe('removing', () => {
  test('makes no more jobs, and keeps those that it made', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, active: true });
    await makeDue('tick');
    await processor.scheduleDueItems();
    await processor.removeScheduler('tick');
    expect(await processor.getSchedulers()).toEqual([]);
    expect(await processor.getScheduler('tick')).toBeUndefined();
    expect(await processor.getJobs()).toHaveLength(1);
    await expect(processor.removeScheduler('tick')).rejects.toThrow(NotFoundError);
  });
});

describe('adding again under the id of one that was removed', () => {
  const once = { type: 'At', at: yesterday, jobName: 'anything', id: 'once' } as const;
  const start = async () => {
    const processor = await setup();
    await processor.addScheduler({ ...once, input: 'wrong', active: true });
    const [jobId = ''] = await processor.scheduleDueItems();
    await processor.removeScheduler('once');
    return { processor, jobId };
  };

  test.each([true, false])('is refused for a moment that had its job: active %s', async (active) => {
    const { processor, jobId } = await start();
    const adding = processor.addScheduler({ ...once, input: 'right', active });
    await expect(adding).rejects.toThrow(ConflictError);
    await expect(adding).rejects.toThrow(`made job '${jobId}' for ${yesterday.toISOString()}`);
    expect(await processor.getSchedulers()).toEqual([]);
  });

  test('makes a job at another moment, or once the job is removed', async () => {
    const { processor } = await start();
    const [at] = later(yesterday, 1);
    await processor.addScheduler({ ...once, at: at ?? yesterday, active: true });
    expect(await processor.scheduleDueItems()).toHaveLength(1);
    await processor.removeScheduler('once');
    await processor.processJobs();
    await processor.removeJobs();
    await processor.addScheduler({ ...once, active: true });
    const [jobId] = await processor.scheduleDueItems();
    expect(await processor.getScheduler('once')).toMatchObject({ lastJobId: jobId, occurrences: 1 });
  });

  test('by a declaration makes no second job, and tells the first', async () => {
    const { processor, jobId } = await start();
    const declared = [{ ...once, active: true }];
    expect(await processor.syncSchedulers(declared)).toMatchObject({ added: ['once'] });
    expect(await processor.scheduleDueItems()).toEqual([]);
    expect(await processor.getScheduler('once')).toMatchObject({
      ...{ active: false, lastCallTime: yesterday, lastJobId: jobId, occurrences: 0 },
    });
    expect(await processor.syncSchedulers(declared)).toMatchObject({ added: [], changed: [] });
  });
});

describe('rescheduling', () => {
  test('recomputes the next call from now, and gives it', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, active: true });
    await makeDue('tick', 86_400);
    const next = await processor.reScheduleItem('tick');
    expect(await processor.getSchedulers()).toMatchObject([{ nextCallTime: next }]);
    expect(Number(next) - Date.now()).toBeGreaterThan(3_500_000);
    expect(await processor.scheduleDueItems()).toEqual([]);
  });

  test('all active items at once tells how many', async () => {
    const processor = await setup();
    for (const id of ['a', 'b', 'c']) {
      await processor.addScheduler({ ...hourly, active: id !== 'c', id });
      await makeDue(id);
    }
    expect(await processor.reScheduleItems()).toBe(2);
    expect(await processor.scheduleDueItems()).toEqual([]);
  });

  test('all at once: page by page, and one that is broken is told and passed over', async () => {
    const lines: [string, LogFields | undefined][] = [];
    const processor = await setup({
      log: { ...silent, error: (message, fields) => lines.push([message, fields]) },
    });
    await processor.addScheduler({ ...nine, active: true });
    const item = await requireItem(items(), 'nine');
    const far = new Date('2999-01-01');
    const copies = Array.from({ length: 501 }, (_, n) => ({ ...item, _id: `copy ${n}`, nextCallTime: far }));
    await items().insertMany(copies);
    await items().updateOne({ _id: 'copy 0' }, { $set: { timeZone: 'Nowhere/At_All' } });

    expect(await processor.reScheduleItems()).toBe(501);

    expect(await items().countDocuments({ nextCallTime: { $lt: far } })).toBe(501);
    expect(await items().findOne({ _id: 'copy 0' })).toMatchObject({ nextCallTime: far, active: true });
    expect(lines.map(([, fields]) => fields?.item)).toEqual(['copy 0']);
  });

  test('what was made ahead is not made again', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...nine, active: true });
    expect(await processor.scheduleDueItems({ ahead: '1d' })).toHaveLength(1);
    const { nextCallTime } = (await processor.getScheduler('nine')) ?? {};
    expect(await processor.reScheduleItem('nine')).toEqual(nextCallTime);
    expect(await processor.scheduleDueItems({ ahead: '1d' })).toEqual([]);
  });

  test('ends an item that has no occurrence any more', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, active: true });
    await items().updateOne({ _id: 'tick' }, { $set: { endAt: yesterday } });
    expect(await processor.reScheduleItem('tick')).toBeNull();
    expect(await processor.getScheduler('tick')).toMatchObject({ active: false, nextCallTime: null });
  });

  test('an item that is not active stays so; one that nobody knows is an error', async () => {
    const processor = await setup();
    await processor.addScheduler(hourly);
    expect(await processor.reScheduleItem('tick')).toBeNull();
    await expect(processor.reScheduleItem('nobody')).rejects.toThrow(NotFoundError);
  });
});
