import { expect, test } from 'vitest';
import { z } from 'zod';
import { type ClaimedJob, defineJob, type RemoteProcessor } from '../../src/index.js';
import { ClaimStatements } from '../../src/job/claim-statements.js';
import { claimableJobs } from '../../src/job/indexes.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

function limitedTo(limit: number) {
  const input = z.object({ tenant: z.string() });
  return defineJob({ name: 'limited', input, concurrency: { key: 'tenant', limit }, run: () => {} });
}

const input = { tenant: 'a' };

async function processorOf(limit: number, options = {}): Promise<RemoteProcessor> {
  const processor = database.processor(options);
  await processor.addJobFactory(limitedTo(limit));
  return processor;
}

async function pull(processor: RemoteProcessor): Promise<ClaimedJob> {
  const job = await processor.pullNextJob();
  if (!job) throw new Error('No job may run.');
  return job;
}

const replacing = { unique: { key: 'one', mode: 'replace' as const }, delay: '1h' };

/** A queued job with a unique key holds the only place, and another waits for it. */
async function placed(): Promise<RemoteProcessor> {
  const processor = await processorOf(1);
  await processor.addJob('limited', input);
  await processor.addJob('limited', input, { unique: { key: 'one', mode: 'replace' } });
  await processor.addJob('limited', input, { id: 'waiting' });
  const first = await pull(processor);
  expect(await processor.pullNextJob()).toBeUndefined();
  await processor.completeJob(first);
  return processor;
}

test('the place of a job that is replaced is passed on', async () => {
  const processor = await placed();
  await processor.addJob('limited', { tenant: 'b' }, replacing);
  expect(await pull(processor)).toMatchObject({ id: 'waiting' });
});

test('the places of jobs that are replaced together are passed on', async () => {
  const processor = await placed();
  const added = await processor.jobs.addMany([
    { name: 'limited', input: { tenant: 'b' }, options: replacing },
    { name: 'limited', input: { tenant: 'b' } },
  ]);
  expect(added.map(({ outcome }) => outcome)).toEqual(['replaced', 'added']);
  expect((await pull(processor)).id).toBe('waiting');
});

test('the place of a job that is replaced in a transaction is passed on by the kick after it', async () => {
  const processor = await placed();
  await database.client.withSession((session) =>
    session.withTransaction(() => processor.addJob('limited', { tenant: 'b' }, { ...replacing, session })),
  );
  await processor.kick();
  expect((await pull(processor)).id).toBe('waiting');
});

test('a replaced job does not tell which places it lost', async () => {
  const processor = await placed();
  const id = await processor.addJob('limited', { tenant: 'b' }, { ...replacing, delay: 0 });
  expect(await processor.getJob(id)).not.toHaveProperty('lostSlots');
  await processor.completeJob(await pull(processor));
  const again = await pull(processor);
  expect(again.id).toBe(id);
  expect(again).not.toHaveProperty('lostSlots');
});

test('the place of a job that is completed in a transaction is passed on by the kick after it', async () => {
  const processor = await processorOf(1);
  await processor.addJobs([1, 2].map(() => ({ name: 'limited', input })));
  const first = await pull(processor);
  expect(await processor.pullNextJob()).toBeUndefined();
  await database.client.withSession((session) =>
    session.withTransaction(() => processor.completeJob(first, undefined, { session })),
  );
  await processor.kick();
  await pull(processor);
});

test('places that a smaller limit does not have are no reason to leave its line standing', async () => {
  const old = await processorOf(3);
  const ids = ['one', 'two', 'three', 'four', 'five', 'six'];
  await old.addJobs(ids.map((id) => ({ name: 'limited', input, options: { id } })));
  const held = [await pull(old), await pull(old), await pull(old)];
  expect(await old.pullNextJob()).toBeUndefined();
  for (const job of held) await old.completeJob(job); // Now three others have these places, and wait for a worker.
  const first = await database.collections().jobs.findOne({ status: 'queued', 'slots.number': 0 });
  await old.cancelJob(first?._id ?? '');
  const deployed = await processorOf(1, { queues: ['new'] });
  await deployed.addJob('limited', input, { id: 'new', queue: 'new' });
  expect(await deployed.pullNextJob()).toBeUndefined();
  expect(await old.jobs.cancelMany({ status: 'queued', queue: 'default' })).toMatchObject({ changed: 2 });
  expect((await pull(deployed)).id).toBe('new');
});

test('a job that lost its place between the two commands of a claim is not taken as one that has it', async () => {
  const processor = await placed();
  const { jobs } = database.collections();
  const filter = { status: 'queued', claimable: true, priority: { $gte: 0 } } as const;
  const due = { filter, filterWithoutIndex: filter, index: claimableJobs };
  const claim = new ClaimStatements(jobs, due, { token: 'token', worker: 'worker', leaseMs: 60_000 });
  const candidates = await claim.findCandidates(2, 0);
  expect(candidates).toMatchObject([{ slots: [{ key: 'limited=a' }] }]);
  await processor.updateJob(candidates[0]?._id ?? '', { delay: 0 });
  expect(await claim.take(candidates)).toEqual([]);
});
