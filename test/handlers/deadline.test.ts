import { expect, test } from 'vitest';
import { z } from 'zod';
import { inThread } from './in-thread.js';

/** Tells of two invocations of a container that took at least 200 ms to start how much of 10 s they have. */
const twoInvocations = `
  import { deadlines } from './deadline.js';
  const deadlineOf = deadlines();
  const remaining = () => deadlineOf({ getRemainingTimeInMillis: () => 10_000 }) - Date.now();
  setTimeout(() => answer([remaining(), remaining()]), 200);`;

test('what a thread took to start is taken off the time of its first invocation, and of no other', async () => {
  const [first, second] = z.tuple([z.number(), z.number()]).parse(await inThread(twoInvocations));

  expect(first).toBeLessThanOrEqual(9_800);
  expect(second).toBeGreaterThan(9_900);
});
