import { expect, test } from 'vitest';
import { claimJobs } from '../../src/job/claim-jobs.js';
import { ClaimSpread } from '../../src/job/claim-spread.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();
const filter = { jobNames: ['echo'] };

/** Of a claimer that lost to others so often that it goes as far from the head of the queue as it ever does. */
function lostOften(): ClaimSpread {
  const spread = new ClaimSpread();
  for (let loss = 0; loss < 10; loss += 1) spread.lost();
  return spread;
}

function lease(token: string) {
  return { token, worker: 'one', leaseMs: 10_000 };
}

async function addJobs(ids: readonly string[]) {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJobs(ids.map((id) => ({ name: 'echo', input: {}, options: { id } })));
  return database.collections().jobs;
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${1000 + n}`);
}

test('without competition it claims at the head of the queue, and again once competition is over', async () => {
  const ids = numbered(1000);
  const jobs = await addJobs(ids);
  const spread = lostOften();
  for (let claim = 0; claim < 5 * 8; claim += 1) await claimJobs(jobs, filter, lease(`${claim}`), 2, spread);
  const left = await jobs.find({ status: 'queued' }).sort({ _id: 1 }).toArray();
  const next = await claimJobs(jobs, filter, lease('next'), 4, spread);
  expect(next.map(({ id }) => id)).toEqual(left.slice(0, 4).map(({ _id }) => _id));
});

test('one that lost claims somewhere else, of what waits next', async () => {
  const ids = numbered(400);
  const jobs = await addJobs(ids);
  const places = new Set<number>();
  for (let claim = 0; claim < 20; claim += 1) {
    const claimed = await claimJobs(jobs, filter, lease(`${claim}`), 5, lostOften());
    expect(claimed).toHaveLength(5);
    places.add(ids.indexOf(claimed[0]?.id ?? ''));
    await jobs.updateMany(
      { status: 'processing' },
      { $set: { status: 'queued', claimable: true, retryCounter: 0 } },
    );
  }
  expect(places.size).toBeGreaterThan(3);
  expect(Math.max(...places)).toBeLessThan(8 * 5);
});

test('however few wait, one that lost finds them all', async () => {
  for (let count = 0; count <= 12; count += 1) {
    const jobs = await addJobs(numbered(count));
    expect(await claimJobs(jobs, filter, lease(`${count}`), 20, lostOften())).toHaveLength(count);
    await jobs.deleteMany({});
  }
});

test('one that lost takes more urgent jobs first, wherever it claims', async () => {
  const jobs = await addJobs(numbered(400));
  for (let claim = 0; claim < 20; claim += 1) {
    const last = await jobs.find({ status: 'queued' }).sort({ _id: -1 }).limit(2).toArray();
    const urgent = last.map(({ _id }) => _id).toSorted();
    await jobs.updateMany({ _id: { $in: urgent } }, { $set: { priority: 3 } });
    const claimed = await claimJobs(jobs, filter, lease(`${claim}`), 5, lostOften());
    expect(claimed).toHaveLength(5);
    expect(claimed.slice(0, 2).map(({ id }) => id)).toEqual(urgent);
  }
});

test('urgent jobs do not wait for the rest of a large claim', async () => {
  const jobs = await addJobs(numbered(400));
  await jobs.updateOne({ _id: '1399' }, { $set: { priority: 3 } });
  const spread = lostOften();
  const claimed = await claimJobs(jobs, filter, lease('first'), 100, spread);
  expect(claimed.map(({ id }) => id)).toContain('1399');
  expect(claimed.length).toBeLessThan(100);
  expect(spread.stoppedEarly).toBe(true);
  expect(await claimJobs(jobs, filter, lease('next'), 100, spread)).toHaveLength(100);
  expect(spread.stoppedEarly).toBe(false);
});

test('a claim of one job has not stopped early, though the one before has', async () => {
  const jobs = await addJobs(numbered(1));
  const spread = new ClaimSpread();
  spread.stoppedEarly = true;
  await claimJobs(jobs, filter, lease('one'), 1, spread);
  expect(spread.stoppedEarly).toBe(false);
});
