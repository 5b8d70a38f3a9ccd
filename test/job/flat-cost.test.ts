import { expect, test } from 'vitest';
import { backlogs, fill } from '../bench/backlogs.js';
import { CLAIMED, examineClaim } from '../bench/examine-claim.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

/** One key for each priority, and one to see that there is no more. */
const PRIORITIES = 10;

/** The benchmark measures the same with 1,000,000. */
test.each(
  backlogs.flatMap((backlog) => [2000, 20_000].map((count) => [backlog.name, count, backlog] as const)),
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
