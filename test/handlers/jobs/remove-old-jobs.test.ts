import { expect, test } from 'vitest';
import { removeOldJobs } from '../../../handlers/jobs/remove-old-jobs.js';
import { collectionNames } from '../../collection-names.js';
import { useDatabase } from '../../database.js';
import { echo, failing } from '../../jobs.js';

const database = useDatabase();

const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);

test('jobs that settled long ago are removed, and counted per status', async () => {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing, removeOldJobs]);
  await processor.addJob('echo', {}, { id: 'old' });
  await processor.addJob('failing', undefined, { id: 'old failure' });
  await processor.addJob('echo', {}, { id: 'new' });
  await processor.processJobs();
  await database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateMany(
      { _id: { $in: ['old', 'old failure'] } },
      { $set: { created: daysAgo(31), completed: daysAgo(31) } },
    );
  await processor.addJob('echo', {}, { id: 'waiting', runAt: new Date(Date.now() + 60_000) });
  const id = await processor.addJob(removeOldJobs, {
    olderThan: '30 days',
    statuses: ['completed', 'cancelled'],
  });

  await processor.processJobs();

  expect(await processor.getJobResult(id)).toEqual({ completed: 1, cancelled: 0 });
  const left = (await processor.getJobs()).map((job) => job.id).filter((other) => other !== id);
  expect(left.sort()).toEqual(['new', 'old failure', 'waiting']);
});

test.each([
  {},
  { olderThan: '30' },
  { olderThan: '1d', statuses: ['queued'] },
  { olderThan: '1d', statuses: [] },
])('the input %j is refused: what is removed is gone', async (input) => {
  const processor = database.processor();
  await processor.addJobFactory(removeOldJobs);

  await expect(processor.addJob('removeOldJobs', input)).rejects.toMatchObject({ code: 'validation_failed' });
});
