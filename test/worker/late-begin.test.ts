import { expect, test } from 'vitest';
import { defineJob } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

/** Long enough for a busy machine to begin in time what it has claimed. */
const LEASE_MS = 2000;

const blocking = defineJob({
  name: 'blocking',
  priority: 9,
  run: () => {
    const end = performance.now() + LEASE_MS + 100;
    while (performance.now() < end);
  },
});

test('a job whose turn comes after its lease may have expired is given back, not begun', async () => {
  const called: string[] = [];
  const next = defineJob({
    name: 'next',
    run: ({ token }) => {
      called.push(token);
    },
  });
  const processor = database.processor({ maxThreads: 2, lease: LEASE_MS });
  await processor.addJobFactories([blocking, next]);
  await processor.addJob('blocking');
  const id = await processor.addJob('next');
  expect(await processor.drain()).toMatchObject({ claimed: 3, givenBack: 1 });
  expect(await database.storedJob(id)).toMatchObject({
    status: 'completed',
    retryCounter: 1,
    givenBackCounter: 1,
    lastToken: called[0],
  });
  expect(called).toHaveLength(1);
});
