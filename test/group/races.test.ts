import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConflictError, defineJob, RemoteException, resultOf, ValidationError } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';

const database = useDatabase();

async function withJobs() {
  const state = { fails: true };
  const ran: number[] = [];
  const load = defineJob({
    name: 'load',
    input: z.number(),
    output: z.number(),
    maxRetries: 1,
    run: ({ input }) => {
      ran.push(input);
      if (input < 0 && state.fails) throw new RemoteException(`no ${input}`);
      return input;
    },
  });
  const all = defineJob({
    name: 'all',
    maxRetries: 1,
    run: async ({ step }) => (await step.fanOut('all', load, [1, -2])).outputs(),
  });
  const processor = database.processor();
  await processor.addJobFactories([load, all]);
  return { processor, load, all, state, ran };
}

/** Lets as many minutes pass for looks after groups. */
async function passMinutes(minutes: number): Promise<void> {
  const { jobGroups } = database.collections();
  await jobGroups.updateMany({ checkAt: { $type: 'date' } }, [
    { $set: { checkAt: { $subtract: ['$checkAt', minutes * 60_000] } } },
  ]);
}

/** Makes a batch look as its adder left it that died before it had added all. */
async function halfAdded(id: string, missing: readonly string[]): Promise<void> {
  const { jobs, jobGroups } = database.collections();
  await jobs.deleteMany({ _id: { $in: [...missing, `${id}.then`] } });
  await jobGroups.updateOne({ _id: `batch ${id}` }, { $unset: { sealed: '', closed: '' } });
}

test('a parent that was cancelled while it waited goes on with its children at once when it is retried', async () => {
  const { processor, all, ran } = await withJobs();
  const id = await processor.addJob(all);
  await processor.processNextJob();
  await processor.cancelJob(id);
  expect(ran).toEqual([]);
  await processor.retryJob(id);
  await processor.drain();
  expect(ran.toSorted()).toEqual([-2, 1]);
  expect(await processor.getJobStatus(id)).toBe('error');
});

test('a retried parent waits until its children have stopped, and then they run again', async () => {
  const { processor, all, ran, state } = await withJobs();
  state.fails = false;
  const id = await processor.addJob(all);
  await processor.processNextJob();
  const child = await processor.pullNextJob();
  await processor.cancelJob(id);
  await processor.retryJob(id);
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('queued');
  if (child) await processor.completeJob(child, 5);
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
  expect(ran.toSorted()).toEqual([-2, 1]);
});

test('the children of a retried parent are looked after as soon as those of a new one', async () => {
  const { processor, all, state } = await withJobs();
  const id = await processor.addJob(all);
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('error');
  await passMinutes(2);
  await processor.scheduleDueItems();
  state.fails = false;
  await processor.retryJob(id);
  await processor.processNextJob();
  const child = await processor.pullNextJob();
  // A worker that dies after that tells nobody.
  await database.client.withSession((session) =>
    session.withTransaction(async () => {
      if (child) await processor.completeJob(child, 1, { session });
    }),
  );
  await passMinutes(2);
  await processor.scheduleDueItems();
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
});

test('a process that dies right after it queued a job of a batch again leaves it to the next look', async () => {
  const { processor, load, state } = await withJobs();
  const jobs = [1, -2].map((input) => ({ job: load, input }));
  await processor.addBatch(jobs, { id: 'import', then: { job: load, input: 3 } });
  await processor.drain();
  expect(await processor.batches.get('import')).toMatchObject({ status: 'failed' });
  const { jobGroups } = database.collections();
  const over = await jobGroups.findOne({ _id: 'batch import' });
  await processor.retryJob('import.000001');
  // Only what was written before the job was queued.
  const soon = new Date(Date.now() + 60_000);
  if (over) await jobGroups.replaceOne({ _id: over._id }, { ...over, checkAt: soon });
  await passMinutes(2);
  await processor.scheduleDueItems();
  expect(await jobGroups.findOne({ _id: 'batch import' })).not.toHaveProperty('closed');
  state.fails = false;
  await processor.drain();
  expect(await processor.batches.get('import')).toMatchObject({ status: 'completed' });
});

test('before a job of a batch is queued again, somebody is to look after the batch soon', async () => {
  const { processor, load } = await withJobs();
  await processor.addBatch([{ job: load, input: -2 }], { id: 'import' });
  await processor.drain();
  const { jobs, jobGroups } = database.collections();
  const checkedIn = async () => {
    const group = await jobGroups.findOne({ _id: 'batch import' });
    return (group?.checkAt.getTime() ?? 0) - Date.now();
  };
  expect(await checkedIn()).toBeGreaterThan(3_600_000);
  // Its key is taken, so that it cannot be queued.
  await jobs.updateOne({ _id: 'import.000000' }, { $set: { freedUniqueKey: 'taken' } });
  await processor.addJob(load, 1, { uniqueKey: 'taken' });
  await expect(processor.retryJob('import.000000')).rejects.toThrow(ConflictError);
  expect(await checkedIn()).toBeLessThan(120_000);
});

test('a batch is removed together with what its jobs have added', async () => {
  const { processor, all, state } = await withJobs();
  state.fails = false;
  await processor.addBatch([{ job: all }, { job: all }], { id: 'import' });
  await processor.addJob(all, undefined, { id: 'import.other' });
  await processor.drain();
  await processor.batches.remove('import');
  const left = (await processor.jobs.list()).jobs.map(({ id }) => id);
  expect(left.every((id) => id.startsWith('import.other'))).toBe(true);
  expect(left.length).toBe(3);
});

test('a batch that was cancelled while it was being added ends as cancelled', async () => {
  const { processor, load, ran } = await withJobs();
  const jobs = [1, 2].map((input) => ({ job: load, input }));
  const options = { id: 'import', then: { job: load, input: 3 } };
  await processor.addBatch(jobs, options);
  await halfAdded('import', ['import.000001']);
  await processor.batches.cancel('import');
  await processor.addBatch(jobs, options);
  await processor.drain();
  expect(ran).toEqual([]);
  expect(await processor.batches.get('import')).toMatchObject({ status: 'cancelled', failed: 2 });
  expect(await processor.getJobStatus('import.then')).toBe('cancelled');
});

test('a batch is not removed while it is being added', async () => {
  const { processor, load } = await withJobs();
  await processor.addBatch([], { id: 'import', then: { job: load, input: 3 } });
  await halfAdded('import', []);
  await expect(processor.batches.remove('import')).rejects.toThrow(ConflictError);
});

test('a batch is not removed by expiry before the job after it has run', async () => {
  const { processor, load } = await withJobs();
  await processor.addBatch([{ job: load, input: 1 }], {
    id: 'import',
    then: { job: load, input: 3, options: { queue: 'later' } },
    retention: { completed: 0, error: 0 },
  });
  const first = database.processor({ queues: ['default'] });
  await first.addJobFactories([load]);
  await first.drain();
  await passMinutes(24 * 60);
  await processor.scheduleDueItems();
  expect(await processor.getJobStatus('import.then')).toBe('queued');
  await processor.drain();
  expect(await processor.getJobStatus('import.then')).toBe('completed');
  await passMinutes(24 * 60);
  await processor.scheduleDueItems();
  expect((await processor.batches.list()).batches).toEqual([]);
});

test('another job that has the id of a job of a batch is refused', async () => {
  const { processor, load } = await withJobs();
  await processor.addJob(load, 1, { id: 'import.000000' });
  await expect(processor.addBatch([{ job: load, input: 1 }], { id: 'import' })).rejects.toThrow(
    ConflictError,
  );
});

test('the job after a batch has no id and no unique key of its own', async () => {
  const { processor, load } = await withJobs();
  const then = { job: load, input: 1, options: { id: 'mine' } };
  await expect(processor.addBatch([], { then })).rejects.toThrow(ValidationError);
  expect((await processor.batches.list()).batches).toEqual([]);
});

test('a batch of which a job went on with another input is added again', async () => {
  const processor = database.processor();
  const pages = defineJob({
    name: 'pages',
    input: z.number(),
    run: ({ input, step }) => (input < 3 ? step.continueAs(input + 1) : undefined),
  });
  await processor.addJobFactory(pages);
  const jobs = [1, 3].map((input) => ({ job: pages, input }));
  await processor.addBatch(jobs, { id: 'import' });
  await processor.drain();
  await halfAdded('import', ['import.000001']);
  expect(await processor.addBatch(jobs, { id: 'import' })).toEqual({ id: 'import', outcome: 'added' });
});

test('a workflow has not failed while a job can run whose turn has come', async () => {
  const { processor, load } = await withJobs();
  await processor.addWorkflow({
    id: 'w',
    jobs: {
      first: { job: load, input: 1, options: { priority: 9 } },
      second: { job: load, input: resultOf<number>('first') },
      bad: { job: load, input: -2 },
      never: { job: load, input: 4, after: ['bad'] },
    },
  });
  const first = await processor.pullNextJob();
  // A worker that has settled it, and has not looked yet.
  await database.client.withSession((session) =>
    session.withTransaction(async () => {
      if (first) await processor.completeJob(first, 1, { session });
    }),
  );
  const order: string[] = [];
  processor.on('attemptEnded', ({ jobId }) => order.push(jobId));
  processor.on('workflowFailed', () => order.push('failed'));
  await processor.drain();
  expect(order.toSorted()).toEqual(['failed', 'w.bad', 'w.second']);
  expect(order.at(-1)).toBe('failed');
});

test('more parents than fit into one look are looked after', async () => {
  const { processor, all, state } = await withJobs();
  state.fails = false;
  const id = await processor.addJob(all);
  await processor.processNextJob();
  for (let child = await processor.pullNextJob(); child; child = await processor.pullNextJob()) {
    const pulled = child;
    await database.client.withSession((session) =>
      session.withTransaction(() => processor.completeJob(pulled, 1, { session })),
    );
  }
  const { jobGroups } = database.collections();
  const others = Array.from({ length: 1200 }, (_, n) => ({
    _id: `job ${n}`,
    kind: 'job' as const,
    checkAt: new Date(n),
  }));
  await jobGroups.insertMany(others);
  await passMinutes(2);
  await processor.scheduleDueItems();
  await processor.drain();
  expect(await processor.getJobStatus(id)).toBe('completed');
});

test('a job is announced though two processes end its last two predecessors at the same time', async () => {
  const processors = [1, 2].map(() => database.processor());
  const [one, other] = processors;
  const announced: string[] = [];
  const job = defineJob({ name: 'part', run: () => {} });
  const last = defineJob({ name: 'last', run: () => {} });
  for (const processor of processors) {
    await processor.addJobFactories([job, last]);
    processor.on('jobsReady', ({ jobs }) => announced.push(...jobs.flatMap(({ jobName }) => jobName ?? [])));
  }
  for (let n = 0; n < 30; n += 1) {
    await one?.addWorkflow({
      id: 'w',
      jobs: { a: { job }, b: { job }, last: { job: last, after: ['a', 'b'], when: 'settled' } },
    });
    announced.length = 0;
    await Promise.all([one?.cancelJob('w.a'), other?.cancelJob('w.b')]);
    await eventually(() => expect(announced).toContain('last'));
    await one?.workflows.cancel('w');
    await one?.workflows.remove('w');
  }
});
