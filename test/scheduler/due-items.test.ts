import { MongoClient } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { LocalProcessor } from '../../local/processor.js';
import { collectionNames } from '../collection-names.js';
import { silent } from '../database.js';
import { useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const { setup, makeDue, items } = database;

const hourly = { type: 'Delay', delay: '1h', jobName: 'flaky', active: true } as const;

test('a due item makes one job, and moves on', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...hourly, id: 'tick' });
  const due = await makeDue('tick');
  const jobId = await processor.scheduleNextJob();
  expect(await processor.getScheduler('tick')).toMatchObject({
    nextCallTime: new Date(due.getTime() + 3_600_000),
    lastCallTime: due,
    lastJobId: jobId,
    occurrences: 1,
    active: true,
    version: 1,
  });
  expect(await processor.scheduleNextJob()).toBeUndefined();
  expect(await processor.getJobs()).toHaveLength(1);
});

test('an item is not fired when it is not active, or has no next call', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...hourly, id: 'never' });
  await items().updateOne({ _id: 'never' }, { $set: { nextCallTime: null } });
  await processor.addScheduler({ ...hourly, active: false, id: 'off' });
  await makeDue('off');
  expect(await processor.scheduleDueItems({ ahead: '1d' })).toEqual([]);
});

test('the item that is due longest goes first, and scheduleDueItems takes all', async () => {
  const processor = await setup();
  for (const [id, seconds] of [
    ['a', 5],
    ['b', 50],
    ['c', 20],
  ] as const) {
    await processor.addScheduler({ ...hourly, id });
    await makeDue(id, seconds);
  }
  const first = await processor.scheduleNextJob();
  expect((await processor.getJob(String(first)))?.occurrence?.item).toBe('b');
  expect(await processor.scheduleDueItems()).toHaveLength(2);
});

test('an item of a job that nobody knows any more still makes its job', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...hourly, id: 'tick' });
  await database.db.collection(collectionNames.jobFactories).deleteMany({});
  await makeDue('tick');
  expect(await new LocalProcessor({ db: database.db, log: silent }).scheduleDueItems()).toHaveLength(1);
});

test('an item that cannot be read is told, and keeps no other from making its job', async () => {
  const told: unknown[] = [];
  const processor = await setup({ log: { ...silent, error: (_, fields) => told.push(fields) } });
  for (const id of ['broken', 'fine']) {
    await processor.addScheduler({ type: 'Cron', cron: '@yearly', jobName: 'flaky', active: true, id });
    await makeDue(id);
  }
  await items().updateOne(
    { _id: 'broken' },
    { $set: { timeZone: 'Mars/Olympus', nextCallTime: new Date(1) } },
  );
  const id = await processor.scheduleNextJob();
  expect(await processor.getJob(String(id))).toMatchObject({ occurrence: { item: 'fine' } });
  await makeDue('fine', 60);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
  expect(told).toEqual([
    expect.objectContaining({ item: 'broken' }),
    expect.objectContaining({ item: 'broken' }),
  ]);
  expect(await processor.getScheduler('broken')).toMatchObject({ active: true, nextCallTime: new Date(1) });
});

describe('an item as another program wrote it, without the newer fields,', () => {
  const older = {
    _id: 'older',
    type: 'Delay',
    title: '',
    description: '',
    jobName: 'anything',
    input: null,
    active: true,
    lastCallTime: null,
    nextCallTime: new Date(),
    delay: 3_600_000,
    timeZone: 'UTC',
    version: 1,
  };
  const insert = (more: object) =>
    database.db.collection<typeof older>(collectionNames.scheduler).insertOne({ ...older, ...more });

  test('makes its jobs, and is shown with the defaults', async () => {
    const processor = await setup();
    await insert({});
    const defaults = { catchUp: 'once', overlap: 'allow', occurrences: 0, skipped: 0 };
    expect(await processor.getScheduler('older')).toMatchObject(defaults);
    expect(await processor.getSchedulers()).toMatchObject([defaults]);
    expect(await processor.scheduleDueItems()).toHaveLength(1);
    expect(await processor.getScheduler('older')).toMatchObject({
      ...defaults,
      occurrences: 1,
      active: true,
    });
    expect(await processor.scheduleDueItems()).toEqual([]);
    expect(await processor.schedules.preview('older', 2)).toHaveLength(2);
  });

  test('ends after maxOccurrences', async () => {
    const processor = await setup();
    await insert({ maxOccurrences: 2 });
    expect(await processor.schedules.preview('older')).toHaveLength(2);
    expect(await processor.scheduleDueItems({ ahead: '1d' })).toHaveLength(2);
    expect(await processor.getScheduler('older')).toMatchObject({ active: false, occurrences: 2 });
  });

  test('can be changed, rescheduled, switched, and moved back', async () => {
    const processor = await setup();
    await insert({});
    await processor.reScheduleItems();
    expect(Number(await processor.reScheduleItem('older'))).toBeGreaterThan(Date.now() + 3_000_000);
    await processor.scheduleDueItems({ ahead: '90m' });
    expect(await processor.updateScheduler('older', { title: 'a' })).toMatchObject({
      title: 'a',
      occurrences: 1,
    });
    expect(await processor.deactivateScheduler('older')).toMatchObject({ active: false, skipped: 0 });
    expect(await processor.activateScheduler('older')).toMatchObject({ active: true });
  });
});

describe('whatever the connection string says,', () => {
  test('items are read from the primary, and what is made counts once a majority has it', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, id: 'tick' });
    const uri = `${database.uri}${database.uri.includes('?') ? '&' : '?'}`;
    const client = new MongoClient(`${uri}w=1&readPreference=secondaryPreferred`, { monitorCommands: true });
    const concerns: unknown[] = [];
    client.on('commandStarted', ({ commandName, command }) => {
      if (commandName === 'commitTransaction') concerns.push(command.writeConcern);
    });
    const other = new LocalProcessor({ db: client.db(database.name), log: silent });
    await makeDue('tick');
    expect(await other.scheduleDueItems()).toHaveLength(1);
    await other.deactivateScheduler('tick');
    await other.removeScheduler('tick');
    await client.close();
    expect(concerns).toEqual(Array(3).fill(expect.objectContaining({ w: 'majority' })));
  });
});
