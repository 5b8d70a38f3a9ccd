import type { Document } from 'mongodb';
import { expect, test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo, failing } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const some = (count: number) => ({ count, isCapped: false });

test('jobs are counted by their status', async () => {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  await processor.addJob('failing');
  await processor.addJob('echo', {});
  await processor.addJob('echo', {});
  await processor.processJobs();
  await processor.addJob('echo', {});
  await processor.pullNextJob();
  await processor.addJob('echo', {});
  await processor.cancelJob(await processor.addJob('echo', {}));
  expect(await processor.jobs.count()).toEqual({
    queued: some(1),
    processing: some(1),
    cancelled: some(1),
    completed: some(2),
    error: some(1),
  });
});

test('counting stops at 10,000, and reads keys of indexes, no more than that', async () => {
  const processor = database.processor();
  const settled = (status: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ _id: `${status} ${n}`, status, created: new Date(n) }));
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  await jobs.insertMany([...settled('completed', 12_000), ...settled('error', 10_000)]);
  const commands = await database.commandsDuring(async () => {
    expect(await processor.jobs.count()).toMatchObject({
      completed: { count: 10_000, isCapped: true },
      error: { count: 10_000, isCapped: false },
      queued: some(0),
    });
  });
  expect(commands).toHaveLength(8);
  const counting = commands.filter(({ commandName }) => commandName === 'aggregate');
  expect(counting).toHaveLength(7);
  for (const { command } of counting) {
    const { keys, documents } = await examined(command);
    expect(keys).toBeLessThanOrEqual(10_001);
    expect(documents).toBe(0);
  }
});

test('when the others are too many to be counted, at least so many are completed', async () => {
  const processor = database.processor();
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  const some = (status: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ _id: `${status} ${n}`, status, created: new Date(n + 1) }));
  await jobs.insertMany([...some('completed', 300), ...some('cancelled', 10_001)]);
  const { cancelled, completed } = await processor.jobs.count();
  expect(cancelled).toEqual({ count: 10_000, isCapped: true });
  expect(completed).toEqual({ count: 300, isCapped: true });
});

async function examined({ aggregate, pipeline, cursor, hint }: Document) {
  const explained = await database.db.command({
    explain: { aggregate, pipeline, cursor, hint },
    verbosity: 'executionStats',
  });
  const { executionStats } = explained.stages?.[0]?.$cursor ?? explained;
  return { keys: executionStats.totalKeysExamined, documents: executionStats.totalDocsExamined };
}
