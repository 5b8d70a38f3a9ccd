import fc from 'fast-check';
import { Binary, type Document } from 'mongodb';
import { expect, test } from 'vitest';
import { defineJob } from '../../src/index.js';
import { claimJobs } from '../../src/job/claim-jobs.js';
import { settlementOf } from '../../src/job/outcome.js';
import { settleJobs } from '../../src/job/settle-jobs.js';
import { toOutput } from '../../src/job/storable.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { anything, gatedJob } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

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

test('jobs that end together are settled by one command: one statement for all of a claim that completed', async () => {
  const { processor, end } = await running({ a: null, b: 'output', c: undefined, d: null, e: ['output'] });
  const commands = await database.commandsDuring(async () => {
    expect(await end()).toMatchObject({ completed: 5 });
  });
  const updates = commands.filter(({ commandName }) => commandName === 'update');
  expect(updates.map(({ command }) => command.updates.length)).toEqual([1]);
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

test('of those that complete together, one that is to be cancelled is cancelled, and one that was lost is left alone', async () => {
  const { processor, end } = await running({ a: 'kept', cancelled: 1, lost: 2, d: null });
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  await processor.cancelJob('cancelled');
  await jobs.updateOne({ _id: 'lost' }, { $set: { 'lease.token': "somebody else's" } });
  expect(await end()).toMatchObject({ completed: 2, cancelled: 1, stale: 1 });
  expect(await processor.getJob('a')).toMatchObject({ status: 'completed', output: 'kept' });
  expect(await processor.getJob('d')).toMatchObject({ status: 'completed', output: null });
  expect(await processor.getJobStatus('cancelled')).toBe('cancelled');
  expect(await jobs.findOne({ _id: 'lost' })).toMatchObject({
    status: 'processing',
    lease: { token: "somebody else's" },
  });
});

test('outputs share a statement up to a megabyte', async () => {
  const sizes = { a: 600_000, b: 300_000, c: 300_000, d: 1_500_000, e: 10 };
  const inputs = Object.fromEntries(Object.entries(sizes).map(([id, size]) => [id, id.repeat(size)]));
  const { processor, end } = await running(inputs);
  const commands = await database.commandsDuring(end);
  const updates = commands.flatMap(({ commandName, command }) =>
    commandName === 'update' ? [command.updates] : [],
  );
  expect(updates.map((statements) => statements.map(idsOf))).toEqual([[['a', 'b'], ['c'], ['d'], ['e']]]);
  for (const [id, input] of Object.entries(inputs)) expect(await processor.getJobResult(id)).toBe(input);
});

function idsOf({ q }: Document): unknown {
  return q._id.$in;
}

test('whatever jobs return that complete together, each has its own output, unchanged', async () => {
  const outputs = new Map(fc.sample(anyValue, 200).map((value, n) => [`${n}`, value]));
  const processor = database.processor({ maxThreads: outputs.size });
  await processor.addJobFactory(defineJob({ name: 'any', run: ({ jobId }) => outputs.get(jobId) }));
  await processor.addJobs([...outputs.keys()].map((id) => ({ name: 'any', options: { id } })));
  await processor.drain();
  const { jobs } = database.collections();
  for (const { _id, status, output } of await jobs.find().toArray()) {
    const value = outputs.get(_id);
    expect([status, output]).toEqual(isRefused(value) ? ['error', undefined] : ['completed', value ?? null]);
  }
});

const tricky = fc.constantFrom('$set', '$_id', '$$NOW', '$$REMOVE', '$literal', 'a.b', '', '$', '__proto__');

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, undefined, true, 0, -0, 1),
    tricky,
    fc.double(),
    fc.string(),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => new Binary(bytes)),
    fc.array(
      tie('value').map((value) => value ?? null),
      { maxLength: 3 },
    ),
    fc.dictionary(
      fc.oneof(tricky, fc.string()),
      tie('value').map((value) => value ?? null),
      {
        maxKeys: 3,
        noNullPrototype: true,
      },
    ),
  ),
})).value;

function isRefused(value: unknown): boolean {
  try {
    toOutput(value, 'any');
    return false;
  } catch {
    return true;
  }
}

test('outcomes that are written again since the reply was lost count as they did, and lost leases are stale', async () => {
  const ids = ['a', 'b', 'cancelled', 'gone', 'lost', 'c'];
  const processor = database.processor();
  await processor.addJobFactory(anything);
  for (const id of ids) await processor.addJob('anything', id, { id });
  const { jobs } = database.collections();
  const filter = { jobNames: ['anything'] };
  const claimed = await claimJobs(jobs, filter, { token: 'one', worker: 'w', leaseMs: 60_000 }, ids.length);
  await processor.cancelJob('cancelled');
  await jobs.updateOne({ _id: 'lost' }, { $set: { 'lease.token': "somebody else's" } });
  await jobs.deleteOne({ _id: 'gone' });
  const settle = (some: readonly string[], suffix: string) =>
    settleJobs(
      jobs,
      claimed
        .filter(({ id }) => some.includes(id))
        .map((job) => settlementOf(job, { kind: 'completed', output: job.id + suffix, outputBytes: 30 })),
    );

  expect(await settle(['a', 'b'], '')).toEqual(['completed', 'completed']);
  const statuses = ['completed', 'completed', 'cancelled', 'stale', 'stale', 'completed'];
  expect(await settle(ids, '!')).toEqual(statuses);
  expect(await settle(ids, '?')).toEqual(statuses);

  const outputs = Object.fromEntries((await processor.getJobs()).map(({ id, output }) => [id, output]));
  expect(outputs).toEqual({ a: 'a', b: 'b', c: 'c!', cancelled: undefined, lost: undefined });
});
