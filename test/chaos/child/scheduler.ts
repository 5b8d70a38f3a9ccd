import { setTimeout as sleep } from 'node:timers/promises';
import { type Part, untilItSucceeds } from './part.js';

/** Long enough for a scheduler to make the jobs of two or three occurrences at once. */
const AHEAD_MS = 2500;

/**
 * Recovers jobs that other processes lost, makes the jobs of due items, and notes their ids. Does not have the jobs'
 * code. At every other start it makes jobs ahead.
 */
export async function schedule({ setting, processor, ledger, stop }: Part): Promise<void> {
  const ahead = setting.start % 2 === 0 ? 0 : AHEAD_MS;
  while (!stop.aborted) {
    const jobs = await untilItSucceeds(() => processor.scheduleDueItems({ ahead }), stop);
    for (const job of jobs ?? []) await ledger.note({ kind: 'scheduled', job });
    await sleep(150);
  }
}
