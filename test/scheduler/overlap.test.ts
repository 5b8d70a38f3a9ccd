import { expect, test } from 'vitest';
import { later, useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const { setup, makeDue, elapse } = database;

const exclusive = {
  type: 'Delay',
  delay: '10m',
  jobName: 'anything',
  overlap: 'skip',
  active: true,
  id: 'tick',
} as const;

test('an occurrence makes no job while that of the one before waits or runs, and is counted', async () => {
  const processor = await setup({ lease: '1d' });
  await processor.addScheduler(exclusive);
  const due = await makeDue('tick');
  const [jobId] = await processor.scheduleDueItems();
  await elapse(600);
  expect(await processor.scheduleDueItems()).toEqual([]);
  const job = await processor.pullNextJob();
  expect(job?.id).toBe(jobId);
  await elapse(600);
  expect(await processor.scheduleDueItems()).toEqual([]);
  expect(await processor.getScheduler('tick')).toMatchObject({
    skipped: 2,
    occurrences: 1,
    lastCallTime: later(due, -1200)[0],
    nextCallTime: later(due, 600)[0],
    active: true,
  });
  if (job) await processor.completeJob(job);
  await elapse(600);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
  expect(await processor.getScheduler('tick')).toMatchObject({ skipped: 2, occurrences: 2 });
});

test('a job that was cancelled, or removed, holds up nothing', async () => {
  const processor = await setup();
  await processor.addScheduler(exclusive);
  await makeDue('tick');
  const [jobId] = await processor.scheduleDueItems();
  await processor.cancelJob(String(jobId));
  await elapse(600);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
  await processor.processJobs();
  await processor.removeJobs();
  await elapse(600);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
});

test('a job that was made ahead, and begun before its time by hand, counts as the one before', async () => {
  const processor = await setup({ lease: '1d' });
  await processor.addScheduler({ ...exclusive, overlap: 'allow' });
  const [, jobId = ''] = await processor.scheduleDueItems({ ahead: '25m' });
  await processor.updateJob(jobId, { delay: 0 });
  const job = await processor.pullNextJob();
  expect(job?.id).toBe(jobId);
  await processor.updateScheduler('tick', { overlap: 'skip' });
  await elapse(601);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
  await processor.processJobs();
  await elapse(601);
  expect(await processor.scheduleDueItems()).toEqual([]); // It has its job.
  await elapse(601);
  expect(await processor.scheduleDueItems()).toEqual([]);
  expect(await processor.getScheduler('tick')).toMatchObject({
    occurrences: 2,
    skipped: 1,
    lastJobId: jobId,
  });
  if (job) await processor.completeJob(job);
  await elapse(601);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
});

test('of several that are due at once one makes a job, the others are skipped', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...exclusive, catchUp: 'all', maxOccurrences: 2 });
  const due = await makeDue('tick', 45 * 60);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
  expect(await processor.getScheduler('tick')).toMatchObject({
    lastCallTime: due,
    occurrences: 1,
    skipped: 4,
    nextCallTime: later(due, 50 * 60)[0],
  });
  await makeDue('tick', 45 * 60);
  expect(await processor.scheduleDueItems()).toEqual([]);
  expect(await processor.getScheduler('tick')).toMatchObject({ occurrences: 1, skipped: 9, active: true });
});

test('what would have come after the last one was not skipped', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...exclusive, catchUp: 'all', maxOccurrences: 1 });
  await makeDue('tick', 45 * 60);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
  expect(await processor.getScheduler('tick')).toMatchObject({ active: false, occurrences: 1, skipped: 0 });
});

test('whether it overlaps is known only when it is due: none is made ahead', async () => {
  const processor = await setup();
  await processor.addScheduler(exclusive);
  await processor.addScheduler({ ...exclusive, overlap: 'allow', id: 'other' });
  expect(await processor.scheduleDueItems({ ahead: '1h' })).toHaveLength(6);
  await makeDue('tick');
  expect(await processor.scheduleDueItems({ ahead: '1h' })).toHaveLength(1);
  expect(await database.jobs().countDocuments({ 'occurrence.item': 'tick' })).toBe(1);
});

test('by default jobs may overlap', async () => {
  const processor = await setup();
  await processor.addScheduler({
    type: 'Delay',
    delay: '10m',
    jobName: 'anything',
    active: true,
    id: 'tick',
  });
  await makeDue('tick');
  await processor.scheduleDueItems();
  await elapse(600);
  expect(await processor.scheduleDueItems()).toHaveLength(1);
});
