import { expect, test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { gatedJob } from '../jobs.js';

const database = useDatabase();

/** As many jobs as there are inputs run, and end together once the gate is opened: they return what they are given. */
async function running(inputs: Readonly<Record<string, unknown>>) {
  const ids = Object.keys(inputs);
  const processor = database.processor({ maxThreads: ids.length });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  for (const id of ids) await processor.addJob('gated', inputs[id], { id, uniqueKey: id });
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(ids.length));
  return {
    processor,
    end() {
      gate.open();
      return draining;
    },
  };
}

test('jobs that end together are settled by one command: one statement for all that return nothing, one for each other', async () => {
  const { processor, end } = await running({ a: null, b: 'output', c: undefined, d: null, e: ['output'] });
  const commands = await database.commandsDuring(async () => {
    expect(await end()).toMatchObject({ completed: 5 });
  });
  const updates = commands.filter(({ commandName }) => commandName === 'update');
  expect(updates.map(({ command }) => command.updates.length)).toEqual([3]);
  const jobs = await processor.getJobs();
  expect(jobs.map(({ output }) => output)).toEqual([null, 'output', null, null, ['output']]);
  for (const job of jobs) {
    expect(job).toMatchObject({
      status: 'completed',
      completed: expect.any(Date),
      expireAt: expect.any(Date),
    });
    for (const field of ['lease', 'uniqueKey', 'progress']) expect(job).not.toHaveProperty(field);
  }
});

test('of those that return nothing, one that is to be cancelled is cancelled, and one that was lost is left alone', async () => {
  const { processor, end } = await running({ a: null, cancelled: null, lost: null, d: null });
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  await processor.cancelJob('cancelled');
  await jobs.updateOne({ _id: 'lost' }, { $set: { 'lease.token': "somebody else's" } });
  expect(await end()).toMatchObject({ completed: 2, cancelled: 1, stale: 1 });
  expect(await processor.getJobStatus('a')).toBe('completed');
  expect(await processor.getJobStatus('cancelled')).toBe('cancelled');
  expect(await jobs.findOne({ _id: 'lost' })).toMatchObject({
    status: 'processing',
    lease: { token: "somebody else's" },
  });
});
