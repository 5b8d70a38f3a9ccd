import type { Document } from 'mongodb';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobFactory, type RemoteProcessor, resultOf } from '../../src/index.js';
import type { Passage } from '../chaos/tcp-proxy.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { afterDeaths, workUntilDead } from '../work-until-dead.js';

const database = useDatabase();

afterAll(afterDeaths);

const one = defineJob({ name: 'one', input: z.number(), output: z.number(), run: ({ input }) => input });

const sum = defineJob({
  name: 'sum',
  input: z.array(z.number()),
  output: z.number(),
  maxRetries: 1000,
  retryDelay: 0,
  run: async ({ input, step }) => {
    const results = await step.fanOut('each', one, input);
    const outputs = await results.outputs();
    return outputs.reduce((total, output) => total + output, 0);
  },
});

const root = defineJob({
  name: 'root',
  output: z.number(),
  maxRetries: 1000,
  retryDelay: 0,
  run: async ({ step }) => (await step.invoke('sum', sum, [1, 2])) + (await step.invoke('one', one, 10)),
});

const kinds: readonly JobFactory[] = [one, sum, root];

/** Everything with which jobs wait for others: adds it, or finds it added. */
async function addAll(processor: RemoteProcessor, id: string): Promise<void> {
  await processor.addJob(root, undefined, { id: `${id} root` });
  const load = [1, 2].map((input) => ({ job: one, input }));
  await processor.addBatch(load, { id: `${id} batch`, then: { job: one, input: 3 } });
  await processor.addWorkflow({
    id: `${id} workflow`,
    jobs: {
      last: { job: one, input: resultOf<number>('first'), after: ['middle'] },
      middle: { job: one, input: 4, after: ['first'] },
      first: { job: one, input: 5 },
    },
  });
}

const outputs = async (id: string) => {
  const processor = database.processor();
  const ids = ['root', 'batch.then', 'workflow.last'].map((name) => `${id} ${name}`);
  return Promise.all(ids.map((each) => processor.getJobResult(each)));
};

/** Does it all, and dies at a command. Returns whether it died before the work was done. */
function addAndWork(id: string, survives: number, fate: Passage): Promise<boolean> {
  return workUntilDead(
    database,
    { survives, fate },
    () => kinds,
    async (processor, signal) => {
      await addAll(processor, id);
      await processor.drain({ signal, margin: 0 });
    },
  );
}

/** Lets two minutes pass for leases and for looks after groups. */
async function passTime(): Promise<void> {
  const past = new Date(1);
  const { jobs, jobGroups } = database.collections();
  await jobs.updateMany({ status: 'processing' }, { $set: { 'lease.expires': past } });
  await jobGroups.updateMany({ checkAt: { $gt: past } }, { $set: { checkAt: past } });
}

test.each<Passage>(['cut', 'lose reply'])(
  'whenever a process is killed that adds and runs groups (%s), all goes on, and each job after them runs once',
  async (fate) => {
    let survives = 0;
    // Some of the commands are enough here. CI tries more.
    const next = Number(process.env.GROUP_KILLS ?? 9);
    for (let wasKilled = true; wasKilled; survives += next) {
      const id = `${survives}`;
      wasKilled = await addAndWork(id, survives, fate);
      const processor = database.processor();
      await processor.addJobFactories(kinds);
      const began: string[] = [];
      processor.on('attemptStarted', ({ jobId }) => began.push(jobId));
      await addAll(processor, id);
      const ended = new Map<string, unknown>();
      for (let tries = 0; tries < 20 && ended.size < 3; tries += 1) {
        await passTime();
        await processor.scheduleDueItems();
        await processor.drain();
        for (const [index, output] of (await outputs(id)).entries())
          if (output !== null) ended.set(String(index), output);
      }
      expect(await outputs(id), id).toEqual([13, 3, 5]);
      const times = began.filter((jobId) => jobId === `${id} batch.then`).length;
      expect(times, id).toBeLessThanOrEqual(1);
      expect(await processor.batches.get(`${id} batch`), id).toMatchObject({
        status: 'completed',
        completed: 2,
      });
      expect(await processor.workflows.get(`${id} workflow`), id).toMatchObject({ status: 'completed' });
      await database.db.collection(collectionNames.jobs).deleteMany({});
      await database.db.collection(collectionNames.jobGroups).deleteMany({});
    }
    expect(survives).toBeGreaterThan(30);
  },
);

const parents = defineJob({
  name: 'parents',
  input: z.number(),
  run: async ({ input, step }) => (await step.fanOut('each', sum, [[input]])).count,
});

const isWrite = (command: Document) => ['update', 'delete', 'findAndModify'].some((name) => name in command);

/** Removes a job and a batch, all of whose jobs have added others. Those that are gone by now are passed over. */
async function removeAll(processor: RemoteProcessor): Promise<void> {
  const unlessGone = (error: { code?: string }) =>
    error.code === 'not_found' ? undefined : Promise.reject(error);
  await processor.removeJob('parent').catch(unlessGone);
  await processor.batches.remove('batch').catch(unlessGone);
}

test('whenever a process is killed that removes jobs which added others, all are gone two minutes after the rest is', async () => {
  const { jobs, jobGroups } = database.collections();
  const processor = database.processor({ maxThreads: 10 });
  await processor.addJobFactories([one, sum, parents]);
  let survives = 0;
  for (let wasKilled = true; wasKilled; survives += 1) {
    await processor.addJob(parents, 1, { id: 'parent' });
    await processor.addBatch(
      [2, 3].map((input) => ({ job: parents, input })),
      { id: 'batch' },
    );
    await processor.drain();
    expect(await jobs.distinct('status')).toEqual(['completed']);
    // As long after their parents ended as the look that comes once a day allows.
    const day = new Date(Date.now() + 86_400_000);
    await jobGroups.updateMany({}, { $set: { checkAt: day } });
    wasKilled = await workUntilDead(
      database,
      { survives, fate: 'cut', counts: isWrite },
      () => [],
      removeAll,
    );
    const soon = new Date(Date.now() + 120_000);
    await jobGroups.updateMany({ checkAt: { $lt: soon } }, { $set: { checkAt: new Date(1) } });
    if ((await jobs.countDocuments({ _id: 'parent' })) === 0) {
      await processor.scheduleDueItems();
      expect(await jobs.countDocuments({ parents: 'parent' }), `${survives}`).toBe(0);
    }
    await removeAll(processor);
    await jobGroups.updateMany({ checkAt: { $lt: soon } }, { $set: { checkAt: new Date(1) } });
    await processor.scheduleDueItems();
    expect(await jobs.distinct('_id'), `${survives}`).toEqual([]);
  }
  expect(survives).toBeGreaterThan(5);
});
