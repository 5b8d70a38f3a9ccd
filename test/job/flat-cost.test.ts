import { expect, test } from 'vitest';
import { isUnmarked, waitsAlone } from '../../src/job/queued-jobs.js';
import { type Backlog, backlogs, fill, waitingJob } from '../bench/backlogs.js';
import { CLAIMED, examineClaim } from '../bench/examine-claim.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { holdBack } from '../hold-back.js';
import { examined } from '../queue/examined.js';

const database = useDatabase({ monitorCommands: true });

/** One key for each priority, and one to see that there is no more. */
const PRIORITIES = 10;

const DAY_MS = 24 * 3600 * 1000;

/** The benchmark measures the same with 1,000,000. */
test.each(
  backlogs.flatMap((backlog) => [2000, 8000].map((count) => [backlog.name, count, backlog] as const)),
)('of jobs that wait %s, %i in all, a claim examines those that it takes', async (_name, count, backlog) => {
  await fill(database.db, backlog, count);
  const { find, take } = await examineClaim(database.uri, database.name, backlog);
  expect(find.documents).toBe(CLAIMED);
  expect(find.keys).toBeGreaterThanOrEqual(CLAIMED);
  expect(find.keys).toBeLessThanOrEqual(CLAIMED + PRIORITIES + 1);
  expect(take.documents).toBe(CLAIMED);
  // Beside the key of each id the one after it, where a scan of several ids sees that it has to seek the next.
  expect(take.keys).toBeLessThanOrEqual(2 * CLAIMED);
});

test('jobs that a worker does not know, and that come first, are passed over by their keys', async () => {
  const unknown: Backlog = {
    name: 'unknown',
    change: (n) => (n < 1000 ? { jobName: 'unknown' } : {}),
  };
  await fill(database.db, unknown, 2000);
  const { find } = await examineClaim(database.uri, database.name, unknown);
  expect(find.documents).toBe(CLAIMED);
  expect(find.keys).toBeLessThanOrEqual(1000 + CLAIMED + PRIORITIES + 1);
});

/** MongoDB merges up to 200 scans of an index; of more queues a worker reads the keys of all. */
test.each([1, 50, 300])(
  'a worker of %i queues, of 400 with jobs, examines those that it takes, and a key or two for each queue',
  async (count) => {
    const queues = Array.from({ length: count }, (_, n) => `queue ${n}`);
    const backlog: Backlog = { name: '', queues, change: (n) => ({ queue: `queue ${n % 400}` }) };
    await fill(database.db, backlog, 8000);
    const { find } = await examineClaim(database.uri, database.name, backlog);
    const merged = count <= 200 ? count : 0;
    expect(find.documents).toBeLessThanOrEqual(CLAIMED + merged);
    expect(find.keys).toBeLessThanOrEqual(CLAIMED + 2 * merged + PRIORITIES + 1);
  },
);

/** Those of all statements of a worker that finds nothing: recovery, claim, what is due next, what is left. */
test.each([
  ['all queues', undefined],
  ['20 queues', 20],
  ['300 queues', 300],
] as const)('an idle worker of %s examines as much of 1,000 delayed jobs as of 8,000', async (_, count) => {
  const queues = count && Array.from({ length: count }, (_, n) => `queue ${n}`);
  const delayed: Backlog = {
    name: 'all delayed',
    change: (n, now) => ({
      priority: n % 10,
      queue: `queue ${n % (count ?? 1)}`,
      runAt: new Date(now.getTime() + DAY_MS + n),
    }),
  };
  const looks = [];
  for (const more of [1000, 7000]) {
    await fill(database.db, delayed, more);
    const processor = database.processor({ maxThreads: 20, ...(queues && { queues }) });
    await processor.addJobFactory(waitingJob(() => {}));
    const commands = await database.commandsDuring(async () => {
      expect(await processor.drain({ linger: 1 })).toMatchObject({ claimed: 0 });
      expect(await processor.jobs.countReady()).toBe(0);
      expect(await processor.jobs.oldestWaiting()).toEqual([]);
    });
    looks.push(await examined(database.db, commands));
  }
  const [few, many] = looks;
  expect(many).toEqual(few);
  expect(many?.length).toBeGreaterThanOrEqual(3);
  const keys = (count !== undefined && count <= 200 ? count : 1) * (2 * PRIORITIES + 1);
  for (const look of many ?? []) {
    expect(look.documents).toBe(0);
    expect(look.keys).toBeLessThanOrEqual(keys);
  }
});

/** Those that are to run alone stand before all others, and no claim sees them. */
test('however many jobs are held back, a claim examines none of them, and the look for them one', async () => {
  const backlog: Backlog = {
    name: 'held back',
    change: (n) => (n < 4000 ? { jobName: 'unknown', priority: 9 } : {}),
  };
  await fill(database.db, backlog, 5000);
  await holdBack(database.collections().jobs, { priority: 9 });
  const { find } = await examineClaim(database.uri, database.name, backlog);
  expect(find.documents).toBe(CLAIMED);
  expect(find.keys).toBeLessThanOrEqual(CLAIMED + PRIORITIES + 1);

  for (const filter of [{ ...isUnmarked }, { ...waitsAlone, priority: { $gte: 0 } }]) {
    const { executionStats } = await database.db.command({
      explain: { find: collectionNames.jobs, filter, limit: 1 },
      verbosity: 'executionStats',
    });
    expect(executionStats.totalKeysExamined).toBeLessThanOrEqual(2);
    expect(executionStats.totalDocsExamined).toBeLessThanOrEqual(1);
  }
});
