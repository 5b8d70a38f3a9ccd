import { expect, test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo, failing } from '../jobs.js';

const database = useDatabase();

/** What is the workers' own. */
const internals = ['log', 'unfinishedCounter', 'lostCounter', 'lastToken', 'freedUniqueKey', '_id', 'token'];

test('a job shows nothing of what only workers need to know', async () => {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  await processor.addJob('failing', undefined, { id: 'settled', uniqueKey: 'k', maxRetries: 1 });
  await processor.processNextJob();
  await processor.addJob('echo', {}, { id: 'running' });
  const pulled = await processor.pullNextJob();
  const marks = { runAlone: true, unfinishedCounter: 3, lostCounter: 2, log: { told: 1, lines: [] } };
  await database.db.collection(collectionNames.jobs).updateMany({}, { $set: marks });
  await processor.addJob('echo', {}, { id: 'queued' });
  await database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: 'queued' }, { $set: marks });
  const again = await processor.pullNextJob();

  const jobs = [...(await processor.getJobs()), await processor.getJob('running'), pulled, again];
  expect(jobs).toHaveLength(6);
  for (const job of jobs)
    for (const name of internals.filter((internal) => !(internal === 'token' && job && 'token' in job)))
      expect(job).not.toHaveProperty(name);
  expect(Object.keys((await processor.getJob('running'))?.lease ?? {}).sort()).toEqual(['expires', 'worker']);
});
