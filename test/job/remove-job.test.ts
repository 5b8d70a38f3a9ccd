import { beforeEach, expect, test } from 'vitest';
import type { LocalProcessor } from '../../local/processor.js';
import { NotFoundError } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

let processor: LocalProcessor;
beforeEach(async () => {
  processor = database.processor();
  await processor.addJobFactory(echo);
});

test('a settled job is removed, and no other', async () => {
  const [one = '', other = ''] = await processor.addJobs([
    { name: 'echo', input: {} },
    { name: 'echo', input: {} },
  ]);
  await processor.processJobs();

  await processor.removeJob(one);

  expect((await processor.getJobs()).map(({ id }) => id)).toEqual([other]);
});

test('one that is queued or runs stays', async () => {
  const queued = await processor.addJob('echo', {}, { delay: '1h' });
  const pulled = await processor.addJob('echo', {});
  await processor.pullNextJob();

  for (const id of [queued, pulled])
    await expect(processor.removeJob(id)).rejects.toThrow(/cannot be removed: it is \w+: cancel it first/);
  expect(await processor.getJobs()).toHaveLength(2);
});

test('one that was made ahead, and cancelled, stays until its occurrence was due', async () => {
  await processor.addScheduler({ type: 'Delay', delay: '1h', jobName: 'echo', input: {}, active: true });
  const [id = ''] = await processor.scheduleDueItems({ ahead: '90m' });
  await processor.cancelJob(id);

  await expect(processor.removeJob(id)).rejects.toThrow('its occurrence is still to come');

  await database.db
    .collection(collectionNames.jobs)
    .updateOne({}, { $set: { 'occurrence.at': new Date(0) } });
  await processor.removeJob(id);
  expect(await processor.getJobs()).toEqual([]);
});

test('one that is not there is not found, whatever the id is', async () => {
  await processor.addJob('echo', {});
  for (const id of ['nobody', '$ne', ''])
    await expect(processor.removeJob(id)).rejects.toThrow(NotFoundError);
  expect(await processor.getJobs()).toHaveLength(1);
});
