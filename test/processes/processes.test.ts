import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { program } from '../programs.js';

const database = useDatabase();
const children: ChildProcess[] = [];

/** The producer's view of the job that the workers run: known here only so that it can be added in code. */
const noted = defineJob({
  name: 'noted',
  input: z.object({ n: z.int(), fate: z.enum(['hang once', 'kill', 'quick']).optional() }),
  retryDelay: 0,
  run: async () => null,
});

const together = defineJob({ name: 'together', input: z.object({ fate: z.literal('kill').optional() }) });

/**
 * Starts a process and waits until it is ready. Where workers die, their leases are short. A busy machine may keep a
 * process waiting for longer, so where each job must run once, the leases are long.
 */
async function start(role: 'worker' | 'producer', lease = '3s'): Promise<ChildProcess> {
  const args = [await program('test/processes/child.ts'), role, database.uri, database.name, lease];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const line of createInterface(child.stdout)) if (line === 'ready') return child;
  throw new Error(`The ${role} ended before it was ready.`);
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Whether a job is left to do: looked at again and again, so it reads one. */
async function unsettled(): Promise<boolean> {
  const job = await database.db
    .collection(collectionNames.jobs)
    .findOne({ status: { $in: ['queued', 'processing'] } });
  return job !== null;
}

afterEach(async () => {
  // Not killed: a transaction that is left open would hold up the next test for a minute.
  await Promise.all(children.splice(0).map((child) => stop(child, 'SIGTERM')));
});

test('three worker processes run each of many jobs exactly once', async () => {
  const processor = database.processor();
  await processor.addJobFactory(noted);
  const ledger = database.db.collection('ledger');
  const workers = await Promise.all([1, 2, 3].map(() => start('worker', '1m')));
  let added = 0;
  // All three are to have a part in it, and one of them may get no CPU for a while.
  while (added < 150 || (await ledger.distinct('pid')).length < 3) {
    await processor.addJobs(Array.from({ length: 50 }, (_, n) => ({ job: noted, input: { n } })));
    added += 50;
  }
  await eventually(async () => expect(await unsettled()).toBe(false));
  await Promise.all(workers.map((worker) => stop(worker, 'SIGTERM')));

  const runs = await ledger.find().toArray();
  expect(runs).toHaveLength(added);
  expect(new Set(runs.map(({ jobId }) => jobId)).size).toBe(added);
  expect(
    await database.db.collection(collectionNames.jobs).countDocuments({ retryCounter: { $ne: 1 } }),
  ).toBe(0);
});

test('one process only schedules and adds, without the code; the other only works', async () => {
  const processor = database.processor();
  await processor.addJobFactory(noted);
  await start('producer');
  await processor
    .getJobs()
    .then((jobs) => expect(jobs.every(({ status }) => status === 'queued')).toBe(true));
  await start('worker');
  await eventually(async () => expect(await processor.getJobStatus('added')).toBe('completed'));
  const scheduled = () =>
    database.db
      .collection(collectionNames.jobs)
      .countDocuments({ 'occurrence.item': 'tick', status: 'completed' });
  await eventually(async () => expect(await scheduled()).toBeGreaterThanOrEqual(2));
});

test('the jobs of a worker that is killed are run by another, use up no attempt, and their history says why', async () => {
  const processor = database.processor();
  await processor.addJobFactory(noted);
  const victim = await start('worker');
  const ids = await Promise.all([1, 2, 3].map((n) => processor.addJob(noted, { n, fate: 'hang once' })));
  const processing = () => processor.getJobs({ status: 'processing' });
  await eventually(async () => expect(await processing()).toHaveLength(3));
  await eventually(async () => expect(await database.db.collection('ledger').countDocuments()).toBe(3));
  await stop(victim, 'SIGKILL');
  await start('worker');
  for (const id of ids) {
    await eventually(async () => expect(await processor.getJobStatus(id)).toBe('completed'));
    expect(await processor.getJob(id)).toMatchObject({ retryCounter: 1, givenBackCounter: 1 });
    expect(await processor.getJobErrors(id)).toEqual([expect.stringContaining('lost its lease')]);
  }
});

test('a job that kills its worker ends in error, and takes none of its neighbours with it, in a batch neither', async () => {
  const processor = database.processor();
  await processor.addJobFactory(noted);
  const inBatches = [{ fate: 'kill' as const }, ...Array.from({ length: 19 }, () => ({}))];
  const [killer = ''] = await processor.addJobs(
    inBatches.map((input) => ({ job: together, input, options: { maxRetries: 1 } })),
  );
  await processor.addJobs(
    Array.from({ length: 100 }, (_, n) => ({
      job: noted,
      input: { n, ...(n === 50 && { fate: 'kill' as const }) },
      options: { id: `job ${n}`, maxRetries: 2 },
    })),
  );
  for (let workers = 0; (await unsettled()) && workers < 10; workers += 1) {
    const worker = await start('worker');
    await eventually(async () => expect(worker.signalCode !== null || !(await unsettled())).toBe(true));
  }
  expect(await database.db.collection(collectionNames.jobs).countDocuments({ status: 'completed' })).toBe(
    99 + 19,
  );
  expect(await processor.getJob(killer)).toMatchObject({ status: 'error', retryCounter: 1 });
  const poison = await processor.getJob('job 50');
  expect(poison).toMatchObject({ status: 'error', retryCounter: 2 });
  // Whether others ran beside it when it killed its first worker is chance; from then on it runs alone.
  const inCompany = (poison?.errors ?? []).filter(({ message }) =>
    message.includes('other jobs ran beside it'),
  );
  expect(inCompany.length).toBeLessThanOrEqual(1);
  expect(poison?.errors).toHaveLength(2 + inCompany.length);
  expect(
    await database.db
      .collection(collectionNames.jobs)
      .countDocuments({ status: 'completed', retryCounter: { $ne: 1 } }),
  ).toBe(0);
});

test('what killed workers had claimed ahead is run by others, and uses up no attempt', async () => {
  const processor = database.processor();
  await processor.addJobFactory(noted);
  const collection = database.db.collection(collectionNames.jobs);
  let added = 0;
  const addMany = async () => {
    const jobs = Array.from({ length: 300 }, (_, n) => ({ name: 'noted', input: { n, fate: 'quick' } }));
    added += (await processor.addJobs(jobs)).length;
  };
  const addWhenFewWait = async () => {
    if ((await collection.countDocuments({ status: 'queued' }, { limit: 200 })) < 200) await addMany();
  };
  const victims = await Promise.all([start('worker'), start('worker')]);
  const tell = (signal: NodeJS.Signals) => {
    for (const victim of victims) victim.kill(signal);
  };
  await eventually(async () => {
    await addWhenFewWait();
    tell('SIGCONT');
    expect(await collection.countDocuments({ status: 'completed' }, { limit: 101 })).toBe(101);
    tell('SIGSTOP');
    // More than they run at a time: some have no slot.
    expect(await collection.countDocuments({ status: 'processing' })).toBeGreaterThan(2 * 5);
  });
  await Promise.all(victims.map((victim) => stop(victim, 'SIGKILL')));
  await start('worker');
  await eventually(async () => expect(await unsettled()).toBe(false));
  expect(await collection.countDocuments({ status: 'completed' })).toBe(added);
  expect(await collection.countDocuments({ givenBackCounter: 1 })).toBeGreaterThan(2 * 5);
  expect(await collection.countDocuments({ retryCounter: { $ne: 1 } })).toBe(0);
});

test('a worker that is told to stop gives back what runs, and leaves nothing in processing', async () => {
  const processor = database.processor();
  await processor.addJobFactory(noted);
  const worker = await start('worker');
  const id = await processor.addJob(noted, { n: 1, fate: 'hang once' });
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('processing'));
  await stop(worker, 'SIGTERM');
  expect(await processor.getJob(id)).toMatchObject({
    status: 'queued',
    retryCounter: 0,
    givenBackCounter: 1,
  });
});
