import { describe, expect, test } from 'vitest';
import type { Passage } from '../chaos/tcp-proxy.js';
import { silent } from '../database.js';
import { anything } from '../jobs.js';
import { useUnreliableNetwork } from '../unreliable-network.js';
import { useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const unreliableNetwork = useUnreliableNetwork(database);
const { items } = database;

const hourly = { type: 'Delay', delay: '1h', jobName: 'anything' } as const;

/** After so many requests. Those that follow each other closely are what the driver's one retry does not get over. */
const CUTS = [20, 23, 26, 60, 63, 66, 69];

async function setup() {
  const { proxy, processor } = await unreliableNetwork({ log: silent }, { socketTimeoutMS: 5_000 });
  await processor.addJobFactory(anything);
  return { proxy, processor };
}

test('all connections break at once, again and again: each change of an item is made, and once', async () => {
  const { proxy, processor } = await setup();
  const ids = Array.from({ length: 6 }, (_, n) => `item ${n}`);
  for (const id of ids) await processor.addScheduler({ ...hourly, id });
  let requests = 0;
  proxy.judgeBy((command) => {
    if (command.hello === undefined && CUTS.includes(++requests)) setImmediate(() => proxy.cut());
    return 'deliver';
  });
  for (let round = 1; round <= 4; round += 1) {
    const title = `round ${round}`;
    await Promise.all(ids.map((id) => processor.updateScheduler(id, { title })));
    expect(await items().countDocuments({ title })).toBe(ids.length);
  }
  expect(requests).toBeGreaterThan(Math.max(...CUTS));
});

describe.each<Passage>(['cut', 'lose reply', 'late'])('a connection breaks (%s)', (passage) => {
  test.each(['find', 'update', 'commitTransaction'])('at %s: the item is changed, and once', async (name) => {
    const { proxy, processor } = await setup();
    await processor.addScheduler({ ...hourly, id: 'one' });
    // The driver tries a read, and a commit, again by itself.
    let left = 3;
    proxy.judgeBy((command) => {
      const isStruck = Object.keys(command)[0] === name && command.autocommit === false && left-- > 0;
      return isStruck ? passage : 'deliver';
    });
    const { version } = await processor.updateScheduler('one', { title: 'changed' });
    expect(version).toBe(2);
    expect(await items().findOne({ _id: 'one' })).toMatchObject({ title: 'changed', version });
    expect(left).toBeLessThanOrEqual(0);
  });
});
