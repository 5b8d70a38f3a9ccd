import { expect, test } from 'vitest';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { gatedJob } from '../jobs.js';
import { useUnreliableNetwork } from '../unreliable-network.js';

const database = useDatabase();
const unreliable = useUnreliableNetwork(database);

test('a drain that is told to stop while the database does not answer ends by its margin, not by its lease', async () => {
  const { proxy, processor } = await unreliable({ lease: '10m' });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  await processor.addJob('gated');
  const stop = new AbortController();
  const draining = processor.drain({ signal: stop.signal, margin: '1s' });
  await eventually(() => expect(gate.arrived).toBe(1));
  proxy.judgeBy(() => 'silence');
  stop.abort();
  expect(await draining).toMatchObject({ claimed: 1, unsettled: 1, remaining: 0 });
  proxy.judgeBy(undefined);
  proxy.cut();
});

test('the scheduler is stopped though the database does not answer', async () => {
  const { proxy, processor } = await unreliable({ scheduleInterval: 10 });
  processor.startScheduler();
  let silenced = 0;
  proxy.judgeBy(() => {
    silenced += 1;
    return 'silence';
  });
  await eventually(() => expect(silenced).toBeGreaterThan(0));
  await processor.stopScheduler();
  expect(processor.loops()).toEqual([]);
  proxy.judgeBy(undefined);
  proxy.cut();
});
