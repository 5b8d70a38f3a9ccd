import type { CommandStartedEvent, Document } from 'mongodb';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';

const database = useDatabase({ monitorCommands: true });

const child = defineJob({ name: 'child', input: z.number(), run: () => {} });

/** A parent with so many children of which 5 are queued, 5 failed, and the rest have completed; and a batch of as many queued jobs. */
async function fill(count: number): Promise<string> {
  const { jobs, jobGroups } = database.collections();
  await jobs.deleteMany({});
  await jobGroups.deleteMany({});
  const parent = defineJob({
    name: 'parent',
    run: ({ step }) => step.fanOut('all', child, Array(10).fill(1)).then(() => {}),
  });
  const processor = database.processor();
  await processor.addJobFactories([child, parent]);
  const id = await processor.addJob(parent, undefined, { id: `of ${count}` });
  await processor.processNextJob();
  const [one] = (await processor.jobs.children(id)).jobs;
  const stored = one && (await jobs.findOne({ _id: one.id }));
  if (!stored) throw new Error('The parent has no child.');
  const { claimable: _, ...ended } = stored;
  const prefix = stored._id.slice(0, -6);
  const times = { completed: new Date() };
  const copies = Array.from({ length: count }, (_, n) => ({
    ...ended,
    ...times,
    _id: `${prefix}${100_000 + n}`,
    status: 'completed' as const,
  }));
  await jobs.insertMany(copies);
  await jobs.updateMany(
    { _id: { $gte: `${prefix}000005`, $lte: `${prefix}000009` } },
    { $set: { ...times, status: 'error' }, $unset: { claimable: '' } },
  );
  const { id: batch } = await processor.addBatch([{ job: child, input: 1 }], { id: `batch of ${count}` });
  const member = await jobs.findOne({ _id: `${batch}.000000` });
  if (!member) throw new Error('The batch has no job.');
  await jobs.insertMany(copies.map((_, n) => ({ ...member, _id: `${batch}.${100_000 + n}` })));
  return id;
}

/** The searches of these commands as `explain` wants them. */
function searchesOf({ command }: CommandStartedEvent): Document[] {
  const { find, filter, sort, projection, limit, skip, hint, aggregate, pipeline, cursor, update } = command;
  if (find === collectionNames.jobs) return [{ find, filter, sort, projection, limit, skip, hint }];
  if (aggregate === collectionNames.jobs) return [{ aggregate, pipeline, cursor, hint }];
  if (update === collectionNames.jobs)
    return command.updates.map((each: Document) => ({ update, updates: [each] }));
  return [];
}

async function documentsIn(search: Document): Promise<number> {
  const given = Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
  const explained = await database.db.command({ explain: given, verbosity: 'executionStats' });
  const { executionStats } = explained.stages?.[0]?.$cursor ?? explained;
  return executionStats.totalDocsExamined;
}

/** Returns the largest number of jobs that a statement reads. */
async function largestCost(work: () => Promise<unknown>): Promise<number> {
  const pending: Promise<number>[] = [];
  const explain = (event: CommandStartedEvent) => {
    for (const search of searchesOf(event)) pending.push(documentsIn(search));
  };
  database.client.on('commandStarted', explain);
  try {
    await work();
  } finally {
    database.client.off('commandStarted', explain);
  }
  return Math.max(...(await Promise.all(pending)));
}

test('however many children have ended, looks at them, cancelling and counting read as few jobs', async () => {
  for (const size of [1000, 4000]) {
    const id = await fill(size);
    const processor = database.processor();
    const { jobGroups } = database.collections();
    expect(
      await largestCost(async () => {
        expect(await processor.batches.get(`batch of ${size}`)).toMatchObject({ open: size + 1 });
        await jobGroups.updateMany({ checkAt: { $type: 'date' } }, { $set: { checkAt: new Date(1) } });
        await processor.recoverJobs();
        await processor.jobs.children(id, { limit: 1 });
        await processor.cancelJob(id);
        await jobGroups.updateMany({ checkAt: { $type: 'date' } }, { $set: { checkAt: new Date(1) } });
        await processor.recoverJobs();
      }),
    ).toBeLessThanOrEqual(12);
    expect((await processor.jobs.children(id, { status: 'cancelled' })).jobs.length).toBe(5);
  }
});
