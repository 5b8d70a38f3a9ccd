import type { Document } from 'mongodb';
import { describe, expect, test } from 'vitest';
import type { SchedulerItemDocument } from '../../src/scheduler/item.js';
import { collectionNames } from '../collection-names.js';
import { useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase({ monitorCommands: true });
const { setup, items, jobs, makeDue, storeLargeInput } = database;

/** Copies of an item, due so many seconds ago each, or in so many. */
async function addCopies(count: number, dueInSeconds: (n: number) => number, prefix = 'copy'): Promise<void> {
  const processor = await setup();
  await processor.addScheduler({ type: 'Delay', delay: '1h', jobName: 'flaky', active: true, id: 'model' });
  const model = await items().findOneAndDelete({ _id: 'model' });
  if (model === null) throw new Error('The item that is to be copied is not there.');
  const now = (await database.now()).getTime();
  for (let from = 0; from < count; from += 10_000) {
    const copies = Array.from({ length: Math.min(10_000, count - from) }, (_, n): SchedulerItemDocument => {
      const nextCallTime = new Date(now + dueInSeconds(from + n) * 1000);
      return { ...model, _id: `${prefix} ${from + n}`, nextCallTime };
    });
    await items().insertMany(copies, { ordered: false });
  }
}

async function commandsOf(work: () => Promise<unknown>): Promise<Document[]> {
  return (await database.commandsDuring(work)).map(({ command }) => command);
}

/** How many keys or documents a search examines, wherever in the plan it stands. */
function examined(explained: unknown): number {
  if (typeof explained !== 'object' || explained === null) return 0;
  const own = 'totalKeysExamined' in explained ? Number(explained.totalKeysExamined) : 0;
  return Math.max(
    own,
    'totalDocsExamined' in explained ? Number(explained.totalDocsExamined) : 0,
    ...Object.values(explained).map(examined),
  );
}

test('of 5,000 items a tick examines those that are due', async () => {
  const processor = await setup();
  await addCopies(5_000, (n) => (n % 50 === 0 ? -10 : 3600 + n));
  const due = await items()
    .find({ _id: /[05]0$|^copy 0$/ })
    .toArray();
  let made: string[] = [];
  const commands = await commandsOf(async () => {
    made = await processor.scheduleDueItems({ ahead: '1m' });
  });
  expect(made).toHaveLength(100);

  for (const { _id, nextCallTime } of due) await items().updateOne({ _id }, { $set: { nextCallTime } });
  const searches = commands.filter(({ find, aggregate }) =>
    [find, aggregate].includes(collectionNames.scheduler),
  );
  expect(searches).toHaveLength(3);
  for (const { find, aggregate, filter, limit, pipeline } of searches) {
    const explain = find ? { find, filter, limit } : { aggregate, pipeline, cursor: {} };
    const explained = await database.db.command({ explain, verbosity: 'executionStats' });
    expect(examined(explained)).toBeGreaterThan(0);
    expect(examined(explained)).toBeLessThanOrEqual(110);
  }
});

test('1,500 that are due at once are made in one tick, by some commands for each 500', async () => {
  const processor = await setup();
  await addCopies(1500, (n) => -n / 1000);
  let made: string[] = [];
  const commands = await commandsOf(async () => {
    made = await processor.scheduleDueItems();
  });
  expect(made).toHaveLength(1500);
  expect(await jobs().countDocuments()).toBe(1500);
  // Is any due, find, advance, insert, commit; and in the end: recovery, is any due, and hourly the look for steps, and the
  // three that add up statistics.
  expect(commands.length).toBeLessThanOrEqual(3 * 5 + 6);
  expect(await processor.scheduleDueItems()).toEqual([]);
});

describe('a tick that has to end', () => {
  test('before it begins makes nothing', async () => {
    const processor = await setup();
    await addCopies(1, () => -1);
    expect(await processor.scheduleDueItems({ deadline: new Date() })).toEqual([]);
    expect(await processor.scheduleDueItems()).toHaveLength(1);
  });

  test('before it is done is continued by the next one, which leaves nothing out', async () => {
    const processor = await setup();
    await addCopies(1200, () => -1);
    const made: string[] = [];
    let ticks = 0;
    for (let ms = 20; made.length < 1200; ms *= 1.5) {
      made.push(...(await processor.scheduleDueItems({ deadline: new Date(Date.now() + ms) })));
      ticks += 1;
    }
    expect(ticks).toBeGreaterThan(1);
    expect(await jobs().distinct('occurrence.item')).toHaveLength(1200);
    expect(await jobs().countDocuments()).toBe(1200);
  });

  test('does not wait for a transaction that holds an item', async () => {
    const processor = await setup();
    await addCopies(1, () => -1);
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await items().updateOne({}, { $set: { title: 'held' } }, { session });
      const deadline = new Date(Date.now() + 300);
      expect(await processor.scheduleDueItems({ deadline })).toEqual([]);
      await session.abortTransaction();
    });
    expect(await processor.scheduleDueItems()).toHaveLength(1);
  });
});

test('an item with a large input makes a few jobs in a transaction, and all that are due in a tick', async () => {
  const processor = await setup();
  await processor.addScheduler({
    type: 'Delay',
    delay: '1h',
    catchUp: 'all',
    active: true,
    id: 'tick',
    jobName: 'echo',
    input: {},
  });
  await storeLargeInput('tick', { text: 'x'.repeat(2_500_000) });
  await makeDue('tick', 3 * 3600 + 100);
  const commands = await commandsOf(async () => {
    expect(await processor.scheduleDueItems()).toHaveLength(4);
  });
  const written = commands
    .filter(({ update }) => update === collectionNames.jobs)
    .map(({ updates }) => updates.length);
  expect(written).toEqual([3, 1]);
  expect(commands.filter(({ commitTransaction }) => commitTransaction === 1)).toHaveLength(2);
  expect(await processor.scheduleDueItems()).toEqual([]);
});
