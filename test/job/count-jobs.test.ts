import { expect, test, vi } from 'vitest';
import { useDatabase } from '../database.js';
import { echo, failing } from '../jobs.js';

vi.setConfig({ testTimeout: 60_000 });

const database = useDatabase();
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
  expect(await processor.countJobs()).toEqual({
    queued: some(1),
    processing: some(1),
    cancelled: some(1),
    completed: some(2),
    error: some(1),
  });
});

test('counting stops at 10,000, and reads no more than that of an index', async () => {
  const processor = database.processor();
  const settled = (status: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ _id: `${status} ${n}`, status, created: new Date(n) }));
  const jobs = database.db.collection<{ _id: string }>('jobs');
  await jobs.insertMany([...settled('completed', 12_000), ...settled('error', 10_000)]);
  const commands = await database.commandsDuring(async () => {
    expect(await processor.countJobs()).toMatchObject({
      completed: { count: 10_000, isCapped: true },
      error: { count: 10_000, isCapped: false },
      queued: some(0),
    });
  });
  expect(commands).toHaveLength(5);
  const statuses = commands.map(({ command }) => command.pipeline[0].$match.status);
  const counting = commands[statuses.indexOf('completed')]?.command ?? {};
  const { aggregate, pipeline, cursor } = counting;
  const explained = await database.db.command({
    explain: { aggregate, pipeline, cursor },
    verbosity: 'executionStats',
  });
  const { executionStats } = explained.stages?.[0]?.$cursor ?? explained;
  expect(executionStats.totalKeysExamined).toBeGreaterThan(0);
  expect(executionStats.totalKeysExamined).toBeLessThanOrEqual(10_001);
});
