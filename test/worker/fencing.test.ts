/** The token of a lease keeps a worker that lost it from ending what another one has begun. */
import { afterEach, expect, test } from 'vitest';
import { defineJob } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';

const database = useDatabase();

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

type Ending = 'returns' | 'throws';

/** A worker with a job that ends, in this way, when it is released. */
async function makeWorker(name: string, ending: Ending, maxThreads: number) {
  const { promise: released, resolve: release } = withResolvers();
  releases.push(release);
  let begun = 0;
  const job = defineJob({
    name: 'waiting',
    retryDelay: 0,
    run: async () => {
      begun += 1;
      await released;
      if (ending === 'throws') throw new Error(`${name} failed`);
      return name;
    },
  });
  const processor = database.processor({ maxThreads, lease: '10m' });
  await processor.addJobFactory(job);
  return { processor, release, begun: () => begun };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const stored = () => database.collections().jobs.find().sort({ _id: 1 }).toArray();

test.each<[Ending, count: number]>([
  ['returns', 1],
  ['throws', 1],
  ['returns', 3],
  ['throws', 3],
])('a worker whose job %s after another one has it changes nothing: %i at once', async (ending, count) => {
  const late = await makeWorker('late', ending, count);
  const next = await makeWorker('next', 'returns', count);
  await late.processor.addJobs(Array.from({ length: count }, () => ({ name: 'waiting' })));
  const ofLate = late.processor.drain();
  await eventually(() => expect(late.begun()).toBe(count));
  await database.db
    .collection(collectionNames.jobs)
    .updateMany({}, { $set: { 'lease.expires': new Date(0) } });
  expect(await next.processor.recoverJobs()).toBe(count);
  const ofNext = next.processor.drain();
  // Jobs that were lost run one after the other: others wait meanwhile.
  await eventually(() => expect(next.begun()).toBe(1));
  const before = await stored();

  late.release();

  expect(await ofLate).toMatchObject({ claimed: count, stale: count, completed: 0, errors: 0 });
  expect(await stored()).toEqual(before);
  next.release();
  expect(await ofNext).toMatchObject({ claimed: count, completed: count });
  for (const job of await stored()) expect(job).toMatchObject({ status: 'completed', output: 'next' });
});
