import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, RemoteException } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';

const database = useDatabase();

const limited = defineJob({
  name: 'limited',
  input: z.object({ customer: z.string() }),
  concurrency: { key: 'customer', limit: 1 },
  run: () => {},
});

const broken = { is: true };

function fail() {
  if (broken.is) throw new RemoteException('no');
}

const ordered = defineJob({ name: 'ordered', ordering: {}, input: z.number(), run: fail });
const member = defineJob({ name: 'member', input: z.number(), run: fail });

async function prepared() {
  broken.is = true;
  const processor = database.processor();
  await processor.addJobFactories([limited, ordered, member]);
  return processor;
}

const idsWith = async (status: 'queued' | 'error' | 'cancelled' | 'completed') =>
  (await database.processor().getJobs({ status })).map(({ id }) => id).sort();

test('cancelled jobs pass their places on, and those that come back wait for places anew', async () => {
  const processor = await prepared();
  for (const id of ['a', 'b', 'c'])
    await processor.addJob(limited, { customer: 'acme' }, { id, queue: id === 'c' ? 'kept' : 'default' });
  await processor.pullNextJob(); // Its place is taken from now on.
  const { id, done } = await processor.operations.start({ action: 'cancel', filter: { queue: 'default' } });
  expect(done).toBe(1);
  expect(await idsWith('cancelled')).toEqual(['b']);
  expect(await processor.operations.undo(id)).toMatchObject({ undone: 1 });
  const running = await processor.getJob('a');
  await processor.cancelJob('a');
  expect(running).toMatchObject({ status: 'processing' });
  expect(await processor.getJobs({ status: 'queued' })).toHaveLength(2);
  await database.collections().jobs.updateOne({ _id: 'a' }, { $set: { 'lease.expires': new Date(1) } });
  await eventually(async () => {
    await processor.recoverJobs();
    await processor.drain();
    expect(await idsWith('completed')).toEqual(['b', 'c']);
  });
});

test('a strict order whose failed job is retried, or removed, goes on', async () => {
  const processor = await prepared();
  for (const n of [1, 2, 3]) await processor.addJob(ordered, n, { id: `o${n}` });
  await processor.drain();
  expect(await idsWith('error')).toEqual(['o1']);
  const remove = { action: 'remove', filter: { status: 'error', jobName: 'ordered' } } as const;
  expect(await processor.operations.start(remove)).toMatchObject({ done: 1 });
  await processor.drain();
  expect(await idsWith('error')).toEqual(['o2']);
  broken.is = false;
  expect(await processor.operations.start({ action: 'retry', filter: { jobName: 'ordered' } })).toMatchObject(
    { done: 1 },
  );
  await processor.drain();
  expect(await idsWith('completed')).toEqual(['o2', 'o3']);
});

test('an undone retry leaves a strict order stopped by its failed job', async () => {
  const processor = await prepared();
  for (const n of [1, 2]) await processor.addJob(ordered, n, { id: `o${n}` });
  await processor.drain();
  const { id } = await processor.operations.start({ action: 'retry', filter: { jobName: 'ordered' } });
  await processor.operations.undo(id);
  broken.is = false;
  await processor.drain();
  expect(await idsWith('error')).toEqual(['o1']);
  expect(await idsWith('completed')).toEqual([]);
});

test('jobs in strict order are not reprioritised', async () => {
  const processor = await prepared();
  await processor.addJob(ordered, 1, { id: 'o1' });
  await processor.addJob(member, 1, { id: 'm1' });
  const filter = { status: 'queued' } as const;
  expect(await processor.operations.start({ action: 'reprioritise', filter, priority: 7 })).toMatchObject({
    done: 1,
    skipped: 1,
  });
  expect(await processor.getJob('o1')).toMatchObject({ priority: 0 });
});

test('failed members of a batch that are retried by their kind end the batch as a retry of the batch does', async () => {
  const processor = await prepared();
  await processor.addBatch(
    [
      { job: member, input: 1 },
      { job: member, input: 2 },
    ],
    { id: 'load' },
  );
  await processor.drain();
  expect(await processor.batches.get('load')).toMatchObject({ status: 'failed', failed: 2 });
  broken.is = false;
  await processor.operations.start({ action: 'retry', filter: { jobName: 'member' } });
  expect(await processor.batches.get('load')).toMatchObject({ status: 'running', open: 2 });
  await processor.drain();
  expect(await processor.batches.get('load')).toMatchObject({ status: 'completed', completed: 2 });
});

test('members of a batch are not removed without it', async () => {
  const processor = await prepared();
  await processor.addBatch([{ job: member, input: 1 }], { id: 'load' });
  await processor.drain();
  expect(
    await processor.operations.start({ action: 'remove', filter: { status: 'error', jobName: 'member' } }),
  ).toMatchObject({ done: 0, skipped: 1 });
});

test('parents that are cancelled cancel what they have added', async () => {
  const parent = defineJob({
    name: 'parent',
    run: ({ step }) => step.fanOut('all', member, [1, 2], { job: { queue: 'kept' } }),
  });
  const processor = await prepared();
  await processor.addJobFactory(parent);
  await processor.queues.pause('kept');
  const id = await processor.addJob(parent);
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('queued');
  await processor.operations.start({ action: 'cancel', filter: { jobName: 'parent' } });
  expect(await idsWith('cancelled')).toHaveLength(3);
  expect(
    await processor.operations.start({ action: 'retry', filter: { status: 'cancelled', jobName: 'member' } }),
  ).toMatchObject({ done: 0, skipped: 2 });
});
