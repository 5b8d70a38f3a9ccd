import { expect, test } from 'vitest';
import { useSchedulerDatabase } from '../setting.js';
import { boundaries } from './setting.js';
import { run } from './start.js';

const database = useSchedulerDatabase();
const { setup, items, jobs } = database;

const ITEMS = 20;
const RUN_MS = 4_000;
/** A few ticks, at most. */
const MAX_SURVIVED = 60;

test('three schedulers that are killed again and again make each occurrence once, and leave none out', async () => {
  const processor = await setup();
  const first = new Map<string, number>();
  for (let n = 0; n < ITEMS; n += 1) {
    const id = `item ${n}`;
    await processor.addScheduler({
      type: 'Delay',
      delay: '1s',
      jobName: 'anything',
      catchUp: 'all',
      active: true,
      id,
    });
    first.set(id, Number((await processor.getScheduler(id))?.nextCallTime));
  }
  const end = Date.now() + RUN_MS;
  const keepAlive = async () => {
    let killed = 0;
    // A busy machine may take that long for one.
    while (Date.now() < end || killed === 0) {
      const survives = Math.floor(Math.random() * MAX_SURVIVED);
      if (await run(database, { survives, boundaries: [...boundaries] })) killed += 1;
    }
    return killed;
  };
  const counts = await Promise.all([keepAlive(), keepAlive(), keepAlive()]);
  const kills = counts.reduce((sum, count) => sum + count);
  expect(kills).toBeGreaterThanOrEqual(3);
  await processor.scheduleDueItems();

  for (const { _id, occurrences, nextCallTime, lastCallTime } of await items().find().toArray()) {
    const made = await jobs().find({ 'occurrence.item': _id }).sort({ 'occurrence.at': 1 }).toArray();
    const expected = Array.from({ length: occurrences }, (_, n) => Number(first.get(_id)) + n * 1000);
    expect(made.map(({ occurrence }) => occurrence?.at.getTime())).toEqual(expected);
    expect(made.length).toBeGreaterThan(RUN_MS / 1000 - 2);
    expect(lastCallTime?.getTime()).toBe(expected.at(-1));
    expect(nextCallTime?.getTime()).toBe(Number(expected.at(-1)) + 1000);
  }
});
