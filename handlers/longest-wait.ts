import type { WaitingJob } from '../src/index.js';

/** Returns the longest wait, in milliseconds, or 0 if no job waits. */
export function longestWaitOf(waiting: readonly WaitingJob[]): number {
  return Math.max(0, ...waiting.map(({ waitedMs }) => waitedMs));
}
