import { expect, test } from 'vitest';
import { ConflictError } from '../../src/index.js';
import { settleJobs } from '../../src/job/settle-jobs.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

/** Claims two jobs, whose leases then expire and are recovered. */
async function lostJobs() {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob(echo, { n: 1 });
  await processor.addJob(echo, { n: 2 });
  const claimed = [await processor.pullNextJob(), await processor.pullNextJob()].flatMap((job) => job ?? []);
  await database.db
    .collection(collectionNames.jobs)
    .updateMany({}, { $set: { 'lease.expires': new Date(0) } });
  await processor.scheduleDueItems();
  return { processor, claimed };
}

test('a worker whose job was recovered, and is queued again, is told that its outcome is stale', async () => {
  const { processor, claimed } = await lostJobs();
  for (const job of claimed) {
    await expect(processor.completeJob(job, {})).rejects.toThrow(ConflictError);
    expect(await processor.getJobStatus(job.id)).toBe('queued');
  }
});

test('so it is when several outcomes are written at once', async () => {
  const { claimed } = await lostJobs();
  const settlements = claimed.map(({ id, token }) => {
    return { id, token, outcome: { kind: 'completed', output: null, outputBytes: 0 } } as const;
  });
  const settled = await settleJobs(database.collections().jobs, settlements);
  expect(settled).toEqual(['stale', 'stale']);
});
