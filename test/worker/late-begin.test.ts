import { afterEach, expect, test, vi } from 'vitest';
import { defineJob } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

const LEASE_MS = 60_000;

/** As if it kept the thread busy for longer than a lease. */
const blocking = defineJob({
  name: 'blocking',
  priority: 9,
  run: () => {
    vi.advanceTimersByTime(LEASE_MS + 100);
  },
});

afterEach(() => {
  vi.useRealTimers();
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
  vi.useFakeTimers({ toFake: ['performance'] });

  expect(await processor.drain()).toMatchObject({ claimed: 3, givenBack: 1 });
  expect(await database.storedJob(id)).toMatchObject({
    status: 'completed',
    retryCounter: 1,
    givenBackCounter: 1,
    lastToken: called[0],
  });
  expect(called).toHaveLength(1);
});
