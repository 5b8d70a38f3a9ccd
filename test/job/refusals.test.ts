/** Why something was refused is read after the statement that matched nothing: by then the job may stand otherwise. */
import type { Collection } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { cancelJob } from '../../src/job/cancel-job.js';
import type { JobDocument } from '../../src/job/job.js';
import { removeJob } from '../../src/job/remove-job.js';
import { requireUniqueKeys } from '../../src/job/require-unique-index.js';
import { retryJob } from '../../src/job/retry-job.js';
import { updateQueuedJob } from '../../src/job/update-queued-job.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();
const jobs = () => database.db.collection<JobDocument>(collectionNames.jobs);

async function added(id: string) {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { id });
  return processor;
}

/** The jobs, of which one changes just before it is read for the first time. */
function changingBeforeRead(change: () => Promise<unknown>): Collection<JobDocument> {
  let isFirst = true;
  return new Proxy(jobs(), {
    get(collection, name) {
      if (name !== 'findOne') return Reflect.get(collection, name).bind?.(collection);
      return async (...args: Parameters<typeof collection.findOne>) => {
        if (isFirst) await change();
        isFirst = false;
        return collection.findOne(...args);
      };
    },
  });
}

describe('what is refused when it is tried, and would not be when it is explained, is tried again', () => {
  test('cancelling a job that was settled, and is queued again', async () => {
    const processor = await added('a');
    await processor.cancelJob('a');
    expect(
      await cancelJob(
        changingBeforeRead(() => processor.retryJob('a')),
        'a',
      ),
    ).toMatchObject({ status: 'cancelled' });
  });

  test('retrying a job that was queued, and is cancelled meanwhile', async () => {
    const processor = await added('a');
    const collections = {
      client: database.client,
      jobs: changingBeforeRead(() => processor.cancelJob('a')),
    };
    await requireUniqueKeys(database.collections());
    await retryJob(collections, 'a');
    expect(await processor.getJobStatus('a')).toBe('queued');
  });

  test('changing a job that was cancelled, and is queued again', async () => {
    const processor = await added('a');
    await processor.cancelJob('a');
    await updateQueuedJob(
      changingBeforeRead(() => processor.retryJob('a')),
      'a',
      { priority: 7 },
    );
    expect(await processor.getJob('a')).toMatchObject({ priority: 7 });
  });

  test('removing a job that was queued, and is cancelled meanwhile', async () => {
    const processor = await added('a');
    await removeJob(
      changingBeforeRead(() => processor.cancelJob('a')),
      'a',
    );
    expect(await processor.getJob('a')).toBeUndefined();
  });

  test('removing a job of a past occurrence that is cancelled meanwhile: the occurrence does not forbid it', async () => {
    const processor = await added('a');
    const occurrence = { item: 'i', at: new Date(0), previous: null };
    await jobs().updateOne({ _id: 'a' }, { $set: { occurrence } });
    await removeJob(
      changingBeforeRead(() => processor.cancelJob('a')),
      'a',
    );
    expect(await processor.getJob('a')).toBeUndefined();
  });
});

test('a settled job that a scheduler item made ahead cannot be removed before its occurrence', async () => {
  const processor = await added('a');
  const occurrence = { item: 'i', at: new Date('2999-01-01'), previous: null };
  await jobs().updateOne({ _id: 'a' }, { $set: { occurrence } });
  await processor.cancelJob('a');
  await expect(processor.removeJob('a')).rejects.toThrow('its occurrence is still to come');
});
