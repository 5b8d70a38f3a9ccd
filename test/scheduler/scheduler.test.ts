import { MongoClient } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { LocalProcessor } from '../../local/processor.js';
import {
  ConflictError,
  defineJob,
  NotFoundError,
  UnknownJobNameError,
  ValidationError,
} from '../../src/index.js';
import type { SchedulerItemDocument } from '../../src/scheduler/item.js';
import { silent, useDatabase } from '../database.js';
import { echo, flaky } from '../jobs.js';

const database = useDatabase();
const items = () => database.db.collection<SchedulerItemDocument>('scheduler');

async function setup() {
  const processor = database.processor();
  await processor.addJobFactories([echo, flaky]);
  return processor;
}

/** Makes an item due `seconds` ago. */
async function makeDue(id: string, seconds = 1): Promise<Date> {
  const nextCallTime = new Date(Date.now() - seconds * 1000);
  await items().updateOne({ _id: id }, { $set: { nextCallTime } });
  return nextCallTime;
}

describe('adding an item', () => {
  test('it is not active unless asked, and then has no next call', async () => {
    const processor = await setup();
    const id = await processor.addScheduler({ type: 'Cron', jobName: 'echo', input: { a: 1 }, minute: [0] });
    expect(await items().findOne({ _id: id })).toEqual({
      _id: id,
      type: 'Cron',
      jobName: 'echo',
      input: { a: 1 },
      active: false,
      title: '',
      description: '',
      timeZone: 'UTC',
      minute: [0],
      hour: [],
      dayOfMonth: [],
      month: [],
      dayOfWeek: [],
      nextCallTime: null,
      lastCallTime: null,
      catchUp: 'once',
      overlap: 'allow',
      occurrences: 0,
      skipped: 0,
      version: 1,
    });
    expect(await processor.scheduleNextJob()).toBeUndefined();
  });

  test('active, it is due first one delay from the database now', async () => {
    const processor = await setup();
    const id = await processor.addScheduler({
      type: 'Delay',
      jobName: 'flaky',
      delay: '10m',
      active: true,
      id: 'tick',
    });
    expect(id).toBe('tick');
    const [item] = await processor.getSchedulers();
    const { localTime } = await database.db.command({ hello: 1 });
    expect(Math.abs(Number(item?.nextCallTime) - Number(localTime) - 600_000)).toBeLessThan(60_000);
    expect(await processor.scheduleNextJob()).toBeUndefined();
  });

  test.each([
    ['no type', { jobName: 'echo', input: {} }, ValidationError],
    ['an unknown type', { type: 'Sometimes', jobName: 'echo', input: {} }, ValidationError],
    ['an unknown job', { type: 'Cron', jobName: 'ehco', input: {} }, UnknownJobNameError],
    ['an input that the job refuses', { type: 'Cron', jobName: 'echo', input: 7 }, ValidationError],
    [
      'an input that cannot be stored',
      { type: 'Cron', jobName: 'echo', input: { f: () => 1 } },
      ValidationError,
    ],
    ['31 February', { type: 'Cron', jobName: 'flaky', dayOfMonth: [31], month: [2] }, ValidationError],
    ['minute 60', { type: 'Cron', jobName: 'flaky', minute: [60] }, ValidationError],
    ['day 0', { type: 'Cron', jobName: 'flaky', dayOfMonth: [0] }, ValidationError],
    ['day of week 7', { type: 'Cron', jobName: 'flaky', dayOfWeek: [7] }, ValidationError],
    [
      'a time zone that is none',
      { type: 'Cron', jobName: 'flaky', timeZone: 'Mars/Olympus' },
      ValidationError,
    ],
    ['a delay below a second', { type: 'Delay', jobName: 'flaky', delay: 999 }, ValidationError],
    ['no delay', { type: 'Delay', jobName: 'flaky' }, ValidationError],
    [
      'a field of another type',
      { type: 'Delay', jobName: 'flaky', delay: '1m', minute: [1] },
      ValidationError,
    ],
    ['an operator for id', { type: 'Cron', jobName: 'flaky', id: { $gt: '' } }, ValidationError],
  ])('with %s is refused and stores nothing', async (_, options, error) => {
    const processor = await setup();
    // @ts-expect-error the types refuse most of these already
    await expect(processor.addScheduler(options)).rejects.toThrow(error);
    expect(await items().countDocuments()).toBe(0);
  });

  test('with an id that is taken is a conflict, and changes nothing', async () => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1m', id: 'tick' });
    const again = processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '2m', id: 'tick' });
    await expect(again).rejects.toThrow(ConflictError);
    expect(await processor.getSchedulers()).toMatchObject([{ id: 'tick', delay: 60_000 }]);
  });
});

describe('a due item', () => {
  test('makes one job, with the input and the defaults of the factory, and moves on', async () => {
    const processor = await setup();
    await processor.addJobFactory(
      defineJob({ name: 'mail', input: echo.input, queue: 'mail', priority: 4, run: async () => 1 }),
    );
    const input = { $set: 1, 'a.b': '$$NOW' };
    await processor.addScheduler({
      type: 'Delay',
      jobName: 'mail',
      delay: '1h',
      active: true,
      id: 'tick',
      input,
    });
    const due = await makeDue('tick');
    const jobId = await processor.scheduleNextJob();
    expect(await processor.getJobs()).toMatchObject([
      {
        id: jobId,
        jobName: 'mail',
        queue: 'mail',
        priority: 4,
        input,
        runAt: due,
        occurrence: { item: 'tick', at: due },
      },
    ]);
    expect(await processor.getSchedulers()).toMatchObject([
      { nextCallTime: new Date(due.getTime() + 3_600_000), lastCallTime: due },
    ]);
    expect(await processor.scheduleNextJob()).toBeUndefined();
  });

  test('after downtime fires once for all that was missed', async () => {
    const processor = await setup();
    await processor.addScheduler({
      type: 'Cron',
      jobName: 'flaky',
      month: [1],
      dayOfMonth: [1],
      hour: [0],
      minute: [0, 0],
      active: true,
      id: 'yearly',
    });
    await makeDue('yearly', 3 * 366 * 86_400);
    expect(await processor.scheduleDueItems()).toHaveLength(1);
    expect(await processor.scheduleDueItems()).toHaveLength(0);
    const [item] = await processor.getSchedulers();
    expect(item?.nextCallTime).toEqual(new Date(Date.UTC(new Date().getUTCFullYear() + 1, 0, 1)));
  });

  test('of a job that nobody knows any more still makes its job', async () => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', active: true, id: 'tick' });
    await database.db.collection('jobFactories').deleteMany({});
    await makeDue('tick');
    expect(await new LocalProcessor({ db: database.db, log: silent }).scheduleDueItems()).toHaveLength(1);
  });

  test('is not fired when it is not active, or has no next call', async () => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', active: true, id: 'never' });
    await items().updateOne({ _id: 'never' }, { $set: { nextCallTime: null } });
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', id: 'off' });
    await makeDue('off');
    expect(await processor.scheduleDueItems()).toEqual([]);
  });

  test('the oldest goes first, and scheduleDueItems takes all', async () => {
    const processor = await setup();
    for (const [id, seconds] of [
      ['a', 5],
      ['b', 50],
      ['c', 20],
    ] as const) {
      await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', active: true, id });
      await makeDue(id, seconds);
    }
    const first = await processor.scheduleNextJob();
    expect((await processor.getJob(String(first)))?.occurrence?.item).toBe('b');
    expect(await processor.scheduleDueItems()).toHaveLength(2);
  });

  test('makes one job however many schedulers meet', async () => {
    const processor = await setup();
    for (let n = 0; n < 10; n += 1) {
      await processor.addScheduler({
        type: 'Delay',
        jobName: 'flaky',
        delay: '1h',
        active: true,
        id: `item ${n}`,
      });
      await makeDue(`item ${n}`);
    }
    const clients = Array.from({ length: 4 }, () => new MongoClient(database.uri));
    const schedulers = clients.map(
      (client) => new LocalProcessor({ db: client.db(database.name), log: silent }),
    );
    const made = await Promise.all(schedulers.map((scheduler) => scheduler.scheduleDueItems()));
    await Promise.all(clients.map((client) => client.close()));
    expect(made.flat()).toHaveLength(10);
    const jobs = await processor.getJobs();
    expect(new Set(jobs.map(({ occurrence }) => occurrence?.item)).size).toBe(10);
    expect(jobs).toHaveLength(10);
  });

  test('leaves neither or both of job and advance when its scheduler fails in between', async () => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', active: true, id: 'tick' });
    const due = await makeDue('tick');
    // A connection that dies after each number of statements in turn.
    for (let survived = 0; survived < 8; survived += 1) {
      const client = new MongoClient(database.uri, { monitorCommands: true });
      let statements = 0;
      client.on('commandStarted', () => {
        statements += 1;
        if (statements > survived) void client.close(true);
      });
      const scheduler = new LocalProcessor({ db: client.db(database.name), log: silent });
      await scheduler.scheduleDueItems().catch(() => {});
      await client.close();
      const jobs = await processor.getJobs();
      const [item] = await processor.getSchedulers();
      expect(jobs.length).toBe(Number(item?.nextCallTime) > due.getTime() ? 1 : 0);
    }
  });

  test('whose job was done and removed is not fired again by a scheduler with an outdated view', async () => {
    const processor = await setup();
    await processor.addScheduler({
      type: 'Delay',
      jobName: 'echo',
      delay: '1h',
      active: true,
      id: 'tick',
      input: {},
    });
    await makeDue('tick');
    const client = new MongoClient(database.uri, { monitorCommands: true });
    const paused = new LocalProcessor({ db: client.db(database.name), log: silent });
    let others: Promise<unknown> | undefined;
    client.on('commandSucceeded', ({ commandName }) => {
      if (commandName === 'find')
        others ??= processor
          .scheduleDueItems()
          .then(() => processor.processJobs())
          .then(() => processor.removeJobs());
    });
    await paused.scheduleDueItems();
    await others;
    await client.close();
    await processor.processJobs();
    await processor.removeJobs();
    expect(await processor.scheduleDueItems()).toEqual([]);
    expect(await processor.getJobs()).toEqual([]);
  });
});

describe('removing an item', () => {
  test('makes no more jobs, and keeps those that it made', async () => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', active: true, id: 'tick' });
    await makeDue('tick');
    await processor.scheduleDueItems();
    await processor.removeScheduler('tick');
    expect(await processor.getSchedulers()).toEqual([]);
    expect(await processor.getJobs()).toHaveLength(1);
    await expect(processor.removeScheduler('tick')).rejects.toThrow(NotFoundError);
  });
});

describe('rescheduling', () => {
  test('recomputes the next call from now, and gives it', async () => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', active: true, id: 'tick' });
    await makeDue('tick', 86_400);
    const next = await processor.reScheduleItem('tick');
    expect(await processor.getSchedulers()).toMatchObject([{ nextCallTime: next }]);
    expect(Number(next) - Date.now()).toBeGreaterThan(3_500_000);
    expect(await processor.scheduleDueItems()).toEqual([]);
  });

  test('all active items at once tells how many', async () => {
    const processor = await setup();
    for (const id of ['a', 'b', 'c']) {
      await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', active: id !== 'c', id });
      await makeDue(id);
    }
    expect(await processor.reScheduleItems()).toBe(2);
    expect(await processor.scheduleDueItems()).toEqual([]);
  });

  test('an item that is not active stays so; one that nobody knows is an error', async () => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1h', id: 'off' });
    expect(await processor.reScheduleItem('off')).toBeNull();
    await expect(processor.reScheduleItem('nobody')).rejects.toThrow(NotFoundError);
  });
});
