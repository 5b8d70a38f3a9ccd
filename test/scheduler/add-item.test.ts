import { describe, expect, test } from 'vitest';
import { ConflictError, UnknownJobNameError, ValidationError } from '../../src/index.js';
import { useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const { items, setup } = database;

const yesterday = new Date(Date.now() - 86_400_000);

test('an item is not active unless asked, and then has no next call', async () => {
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

test('an active Delay is due first one delay from the database now', async () => {
  const processor = await setup();
  const id = await processor.addScheduler({
    type: 'Delay',
    jobName: 'flaky',
    delay: '10m',
    active: true,
    id: 'tick',
  });
  expect(id).toBe('tick');
  const item = await processor.getScheduler('tick');
  expect(Math.abs(Number(item?.nextCallTime) - Number(await database.now()) - 600_000)).toBeLessThan(60_000);
  expect(await processor.scheduleNextJob()).toBeUndefined();
});

test('an active Delay with a start is due first at the start, and a Cron not before it', async () => {
  const processor = await setup();
  const startAt = new Date('2999-12-31T23:59:59.500Z');
  const start = { startAt: startAt.toISOString(), active: true, jobName: 'flaky' };
  await processor.addScheduler({ type: 'Delay', delay: '10m', id: 'delay', ...start });
  await processor.addScheduler({ type: 'Cron', cron: '@daily', id: 'cron', ...start });
  expect(await processor.getScheduler('delay')).toMatchObject({ startAt, nextCallTime: startAt });
  expect(await processor.getScheduler('cron')).toMatchObject({
    nextCallTime: new Date('3000-01-01T00:00:00Z'),
  });
});

test.each([
  ['in the past', yesterday],
  ['before 1970', new Date('1960-01-01')],
])('an At whose moment is %s is due at once, and then ends', async (_, at) => {
  const processor = await setup();
  await processor.addScheduler({ type: 'At', at, jobName: 'flaky', active: true, id: 'once' });
  expect(await processor.scheduleDueItems()).toHaveLength(1);
  expect(await processor.getScheduler('once')).toMatchObject({
    active: false,
    nextCallTime: null,
    lastCallTime: at,
    occurrences: 1,
  });
  expect(await processor.scheduleDueItems()).toEqual([]);
});

describe('what is refused names the field, and stores nothing:', () => {
  const delay = { type: 'Delay', delay: '1m', jobName: 'flaky' };
  const once = { type: 'At', jobName: 'flaky' };
  const cron = { type: 'Cron', jobName: 'flaky' };
  test.each([
    ['no type', { jobName: 'flaky' }, 'type'],
    ['an unknown type', { type: 'Sometimes', jobName: 'flaky' }, 'type'],
    ['no job', { type: 'Delay', delay: '1m' }, 'jobName'],
    ['an input that the job refuses', { ...cron, jobName: 'echo', input: 7 }, 'input'],
    [
      'a field of the input that cannot be stored',
      { ...cron, jobName: 'echo', input: { f: () => 1 } },
      'input.f',
    ],
    ['31 February by lists', { ...cron, dayOfMonth: [31], month: [2] }, 'dayOfMonth'],
    ['31 February by expression', { ...cron, cron: '0 0 31 2 *' }, 'cron'],
    ['an expression that is none', { ...cron, cron: 'every day' }, 'cron'],
    ['an expression and lists', { ...cron, cron: '@daily', minute: [1] }, 'cron'],
    ['minute 60', { ...cron, minute: [1, 60] }, 'minute.1'],
    ['day 0', { ...cron, dayOfMonth: [0] }, 'dayOfMonth.0'],
    ['day of week 7', { ...cron, dayOfWeek: [7] }, 'dayOfWeek.0'],
    ['a time zone that is none', { ...cron, timeZone: 'Mars/Olympus' }, 'timeZone'],
    [
      'a time zone that is none, of an expression',
      { ...cron, cron: '@daily', timeZone: 'Mars/Olympus' },
      'timeZone',
    ],
    ['a delay below a second', { ...delay, delay: 999 }, 'delay'],
    ['no delay', { type: 'Delay', jobName: 'flaky' }, 'delay'],
    ['a moment without a zone', { type: 'At', at: '2030-01-01T00:00:00', jobName: 'flaky' }, 'at'],
    ['no moment', { type: 'At', jobName: 'flaky' }, 'at'],
    ['a start after the moment', { type: 'At', at: yesterday, startAt: new Date(), jobName: 'flaky' }, 'at'],
    ['an end before the moment', { type: 'At', at: new Date(), endAt: yesterday, jobName: 'flaky' }, 'endAt'],
    ['a moment so old that it makes no job', { ...once, at: yesterday, catchUp: 'none' }, 'at'],
    ['an end that has passed', { ...delay, endAt: yesterday }, 'endAt'],
    ['an end before the first', { ...cron, cron: '@yearly', endAt: new Date() }, 'endAt'],
    ['an end before the start', { ...delay, startAt: new Date(), endAt: yesterday }, 'endAt'],
    ['no occurrences', { ...delay, maxOccurrences: 0 }, 'maxOccurrences'],
    ['no jitter', { ...delay, jitter: 0 }, 'jitter'],
    ['a jitter of more than a day', { ...delay, jitter: '25h' }, 'jitter'],
    ['an unknown catch-up', { ...delay, catchUp: 'twice' }, 'catchUp'],
    ['an unknown overlap', { ...delay, overlap: 'wait' }, 'overlap'],
    ['a priority of 10', { ...delay, jobOptions: { priority: 10 } }, 'jobOptions.priority'],
    ['a runAt of its jobs', { ...delay, jobOptions: { runAt: new Date() } }, 'jobOptions.runAt'],
    ['a field of another type', { ...delay, minute: [1] }, 'minute'],
    ['an operator for id', { ...delay, id: { $gt: '' } }, 'id'],
    ['an empty id', { ...delay, id: '' }, 'id'],
    ['a NUL in the title', { ...delay, title: 'a\0' }, 'title'],
    ['__proto__ for the time', { ...delay, jobName: 'echo', timeField: '__proto__' }, 'input.__proto__'],
    [
      'a time in an input that is none',
      { ...delay, jobName: 'anything', timeField: 'at', input: 7 },
      'timeField',
    ],
    ['a time in a job without input', { ...delay, timeField: 'at' }, 'input'],
  ])('%s', async (_, options, path) => {
    const processor = await setup();
    // @ts-expect-error the types refuse most of these already
    const refused = processor.addScheduler(options);
    await expect(refused).rejects.toThrow(ValidationError);
    await expect(refused).rejects.toMatchObject({ issues: [{ path }] });
    expect(await items().countDocuments()).toBe(0);
  });

  test('an unknown job', async () => {
    const processor = await setup();
    const refused = processor.addScheduler({ type: 'Delay', delay: '1m', jobName: 'ehco' });
    await expect(refused).rejects.toThrow(UnknownJobNameError);
    await expect(refused).rejects.toThrow(/ehco.*echo/);
    expect(await items().countDocuments()).toBe(0);
  });

  test('an id that is taken', async () => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1m', id: 'tick' });
    const again = processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '2m', id: 'tick' });
    await expect(again).rejects.toThrow(ConflictError);
    expect(await processor.getSchedulers()).toMatchObject([{ id: 'tick', delay: 60_000 }]);
  });
});

test.each(['$gt', 'a.b', '$$NOW', '__proto__', 'constructor', '{"$ne":null}', "'"])(
  'an item with the id %s is one like any other',
  async (id) => {
    const processor = await setup();
    await processor.addScheduler({ type: 'Delay', delay: '10s', jobName: 'flaky', id, title: '$title' });
    await processor.activateScheduler(id);
    await processor.updateScheduler(id, { description: '$$ROOT' });
    expect(await processor.scheduleDueItems({ ahead: '10s' })).toHaveLength(1);
    expect(await processor.getJobs()).toMatchObject([{ occurrence: { item: id } }]);
    expect(
      await processor.syncSchedulers([{ type: 'Delay', delay: '1m', jobName: 'flaky', id }]),
    ).toMatchObject({ conflicting: [id] });
    expect(await processor.deactivateScheduler(id)).toMatchObject({ id, occurrences: 0, active: false });
    expect(await processor.getSchedulers()).toMatchObject([
      { id, title: '$title', description: '$$ROOT', jobName: 'flaky' },
    ]);
    await processor.removeScheduler(id);
    expect(await items().countDocuments()).toBe(0);
  },
);

test('what a unique index of somebody else refuses is a conflict that tells its values, as is activating', async () => {
  const processor = await setup();
  const delay = { type: 'Delay', jobName: 'flaky', delay: '1h' } as const;
  await items().createIndex({ title: 1 }, { unique: true, name: 'mine' });
  await items().createIndex(
    { jobName: 1 },
    { unique: true, name: 'mine too', partialFilterExpression: { active: true } },
  );
  await processor.addScheduler({ ...delay, title: 'one', id: 'a', active: true });
  await processor.addScheduler({ ...delay, title: 'two', id: 'b' });

  for (const change of [
    () => processor.addScheduler({ ...delay, title: 'one', id: 'c' }),
    () => processor.activateScheduler('b'),
    () => processor.updateScheduler('b', { title: 'one' }),
  ]) {
    const error = await change().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ message: expect.stringMatching(/a unique index has .*(one|flaky)/) });
  }
  await expect(processor.addScheduler({ ...delay, title: 'three', id: 'a' })).rejects.toThrow(
    "There is a scheduler item with the id 'a' already",
  );
  for (const name of ['mine', 'mine too']) await items().dropIndex(name);
});
