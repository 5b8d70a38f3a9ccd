import type { CommandFailedEvent } from 'mongodb';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConflictError } from '../../src/index.js';
import { silent } from '../database.js';
import { useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase({ monitorCommands: true });
const { setup, makeDue, items, jobs } = database;

const hourly = { type: 'Delay', delay: '1h', jobName: 'anything', active: true } as const;

/** So many due items, and the warnings of the processor. */
async function start(count: number) {
  const warnings: object[] = [];
  const log = { ...silent, warn: (message: string, fields = {}) => warnings.push({ message, ...fields }) };
  const processor = await setup({ log });
  await processor.addScheduler({ ...hourly, id: 'item 0' });
  await makeDue('item 0', 1000);
  const model = await items().findOne({ _id: 'item 0' });
  if (!model?.nextCallTime) throw new Error('The item that is to be copied is not there.');
  const first = model.nextCallTime.getTime();
  const copies = Array.from({ length: count - 1 }, (_, n) => {
    return { ...model, _id: `item ${n + 1}`, nextCallTime: new Date(first + n + 1) };
  });
  if (copies.length > 0) await items().insertMany(copies);
  return { processor, warnings };
}

/** As a process that was killed leaves them: written by a transaction that nobody ends. */
async function whileHeld(ids: readonly string[], work: () => Promise<unknown>): Promise<void> {
  await database.client.withSession(async (session) => {
    session.startTransaction();
    await items().updateMany({ _id: { $in: [...ids] } }, { $inc: { skipped: 1 } }, { session });
    await work();
    await session.abortTransaction();
  });
}

const held = (ids: readonly string[]) => [
  { message: expect.stringContaining('left to a later tick'), count: ids.length, items: ids.slice(0, 10) },
];

describe('while a transaction holds', () => {
  test.each([
    ['one item, the first', ['item 0']],
    ['two items, far apart', ['item 7', 'item 35']],
    ['many that follow each other', Array.from({ length: 15 }, (_, n) => `item ${n}`)],
  ])('%s, a tick makes all others, and tells how many it leaves', async (_, ids) => {
    const { processor, warnings } = await start(40);
    await whileHeld(ids, async () => {
      expect(await processor.scheduleDueItems()).toHaveLength(40 - ids.length);
    });
    expect(await jobs().distinct('occurrence.item')).toHaveLength(40 - ids.length);
    expect(await jobs().countDocuments({ 'occurrence.item': { $in: ids } })).toBe(0);
    expect(warnings).toHaveLength(1);
    expect(warnings).toMatchObject([{ count: ids.length }]);
    expect(await processor.scheduleDueItems()).toHaveLength(ids.length);
    expect(await jobs().countDocuments()).toBe(40);
    expect(warnings).toHaveLength(1);
  });

  test('an item, the next job is one of another', async () => {
    const { processor, warnings } = await start(2);
    await whileHeld(['item 0'], async () => {
      const id = await processor.scheduleNextJob();
      expect(await processor.getJob(String(id))).toMatchObject({ occurrence: { item: 'item 1' } });
      expect(await processor.scheduleNextJob()).toBeUndefined();
    });
    expect(warnings).toEqual([...held(['item 0']), ...held(['item 0'])]);
    expect(await processor.scheduleNextJob()).toEqual(expect.any(String));
  });
});

describe('a change of an item that is held for more than 10 s', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ['deactivating', 'deactivateScheduler'],
    ['removing', 'removeScheduler'],
    ['rescheduling', 'reScheduleItem'],
  ] as const)('is given up: %s', async (_, change) => {
    const { processor } = await start(1);
    const before = await processor.getScheduler('item 0');
    vi.useFakeTimers({ toFake: ['Date'] });
    let conflicts = 0;
    const pass = ({ commandName }: CommandFailedEvent) => {
      if (commandName === 'abortTransaction') return;
      conflicts += 1;
      vi.setSystemTime(Date.now() + 6_000);
    };
    database.client.on('commandFailed', pass);
    await whileHeld(['item 0'], async () => {
      const changing = processor[change]('item 0');
      await expect(changing).rejects.toThrow(ConflictError);
      await expect(changing).rejects.toThrow(/'item 0' is held by another transaction.*try again/);
    });
    database.client.off('commandFailed', pass);
    expect(conflicts).toBe(2);
    expect(await processor.getScheduler('item 0')).toEqual(before);
  });
});
