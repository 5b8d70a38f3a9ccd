import { describe, expect, test } from 'vitest';
import type { LocalProcessor } from '../../local/processor.js';
import type { SchedulerOptions } from '../../src/index.js';
import { later, occurrencesOf, useSchedulerDatabase } from './setting.js';

const { setup, makeDue, items, jobs } = useSchedulerDatabase();

const everySecond = {
  id: 'beat',
  type: 'Delay',
  delay: '1s',
  jobName: 'echo',
  input: { was: 'before' },
  catchUp: 'all',
  active: true,
} as const satisfies SchedulerOptions;

/** In seconds. */
const HOUR = 3600;

const hourly = { ...everySecond, delay: '1h' } as const;

/** What makes an item miss what it would be due at; whether the item goes on. */
const changes: Record<string, (processor: LocalProcessor) => Promise<unknown>> = {
  deactivating: (processor) => processor.deactivateScheduler('beat'),
  'switching off by an update': (processor) => processor.updateScheduler('beat', { active: false }),
  'another rhythm': (processor) => processor.updateScheduler('beat', { delay: '2h' }),
  'another type': (processor) => processor.updateScheduler('beat', { type: 'Cron', cron: '0 0 1 1 *' }),
  rescheduling: (processor) => processor.reScheduleItem('beat'),
  'rescheduling all': (processor) => processor.reScheduleItems(),
  removing: (processor) => processor.removeScheduler('beat'),
};

describe.each(Object.entries(changes))('%s', (_, change) => {
  test('makes first what is due: each occurrence once, as the item was', async () => {
    const processor = await setup();
    await processor.addScheduler(hourly);
    const due = await makeDue('beat', 3.5 * HOUR);
    await change(processor);
    const made = await processor.getJobs();
    expect(occurrencesOf(made)).toEqual(later(due, 0, HOUR, 2 * HOUR, 3 * HOUR));
    expect(made.map(({ input }) => input)).toEqual(made.map(() => ({ was: 'before' })));
    const count = await processor.jobs.count();
    await processor.scheduleDueItems();
    expect(await processor.jobs.count()).toEqual(count);
  });
});

test.each<[SchedulerOptions['catchUp'], readonly number[]]>([
  ['all', [-3, -2, -1, 0]],
  ['once', [-3, -1, 0]],
  ['none', [-1, 0]],
])('what was missed is made as catchUp says: %s', async (catchUp, minutes) => {
  const processor = await setup();
  await processor.addScheduler({ ...everySecond, delay: '1m', catchUp });
  const last = await makeDue('beat', 5);
  await items().updateOne({}, { $set: { nextCallTime: later(last, -180)[0] ?? null } });
  await processor.deactivateScheduler('beat');
  const expected = later(last, ...minutes.map((minute) => minute * 60));
  expect(occurrencesOf(await processor.getJobs())).toEqual(expected);
});

test('of an item that must not overlap one is made, and none while the last one is not settled', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...everySecond, overlap: 'skip' });
  const due = await makeDue('beat', 3);
  await processor.updateScheduler('beat', { delay: '10s' });
  expect(occurrencesOf(await processor.getJobs())).toEqual([due]);
  await makeDue('beat');
  expect(await processor.deactivateScheduler('beat')).toMatchObject({ occurrences: 1 });
  expect(occurrencesOf(await processor.getJobs())).toEqual([due]);
});

test('a change that keeps the rhythm leaves what is due to the next tick, as the item is then', async () => {
  const processor = await setup();
  await processor.addScheduler(hourly);
  const due = await makeDue('beat');
  await processor.updateScheduler('beat', { input: { is: 'now' } });
  expect(await processor.getJobs()).toEqual([]);
  await processor.scheduleDueItems();
  expect(await processor.getJobs()).toMatchObject([{ input: { is: 'now' }, occurrence: { at: due } }]);
});

test('an item that is put off when it is due already has both: its job, and its new moment', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...hourly, maxOccurrences: 2 });
  const due = await makeDue('beat');
  const at = new Date(Date.now() + 3_600_000);
  expect(await processor.updateScheduler('beat', { type: 'At', at })).toMatchObject({
    active: true,
    nextCallTime: at,
    lastCallTime: due,
  });
  expect(occurrencesOf(await processor.getJobs())).toEqual([due]);
});

test('a change that is refused makes nothing: what is due is left to the next tick', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...hourly, maxOccurrences: 1 });
  const due = await makeDue('beat');
  await expect(processor.updateScheduler('beat', { delay: '2h' })).rejects.toThrow(
    'more than the 1 it has had',
  );
  expect(await processor.getJobs()).toEqual([]);
  await processor.scheduleDueItems();
  expect(occurrencesOf(await processor.getJobs())).toEqual([due]);
});

test('an item that is declared no more has what was due by then', async () => {
  const processor = await setup({ name: 'declaring' });
  await processor.syncSchedulers([everySecond]);
  const due = await makeDue('beat', 2);
  expect(await processor.syncSchedulers([])).toMatchObject({ deactivated: ['beat'] });
  expect(occurrencesOf(await processor.getJobs()).slice(0, 2)).toEqual(later(due, 0, 1));
});

test('more than one transaction makes are made by several', async () => {
  const processor = await setup();
  await processor.addScheduler(everySecond);
  const due = await makeDue('beat', 1200);
  await processor.deactivateScheduler('beat');
  const made = occurrencesOf(await jobs().find().toArray());
  expect(made).toEqual(later(due, ...made.map((_, second) => second)));
  expect(made.length).toBeGreaterThan(1200);
});

test('an item that nothing can be made of can be switched off, and removed', async () => {
  const processor = await setup();
  await processor.addScheduler(everySecond);
  await makeDue('beat');
  await items().updateOne({}, { $set: { type: 'Cron', cron: '* * * * *', timeZone: 'Mars/Olympus' } });
  await processor.deactivateScheduler('beat');
  await items().updateOne({}, { $set: { active: true, nextCallTime: new Date(0) } });
  await processor.removeScheduler('beat');
  expect(await processor.getJobs()).toEqual([]);
});

test('a tick beside it makes each occurrence once', async () => {
  const processor = await setup();
  await processor.addScheduler(everySecond);
  for (let round = 0; round < 5; round += 1) {
    const due = await makeDue('beat', 3);
    const other = await setup();
    await Promise.all([processor.deactivateScheduler('beat'), other.scheduleDueItems()]);
    const made = occurrencesOf(await jobs().find().toArray());
    expect(made).toEqual(later(due, ...made.map((_, second) => second)));
    await jobs().deleteMany({});
    await processor.activateScheduler('beat');
  }
});
