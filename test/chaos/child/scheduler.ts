import { setTimeout as sleep } from 'node:timers/promises';
import { type Part, untilItSucceeds } from './part.js';

/** Long enough for a scheduler to make the jobs of two or three occurrences at once. */
const AHEAD_MS = 2500;

/**
 * Recovers what others lost, makes the jobs of due items, and notes them. Has no code of jobs. At every other start it
 * makes jobs ahead.
 */
export async function schedule({ setting, processor, ledger, stop }: Part): Promise<void> {
  const ahead = setting.start % 2 === 0 ? 0 : AHEAD_MS;
  while (!stop.aborted) {
    const jobs = await untilItSucceeds(() => processor.scheduleDueItems({ ahead }), stop);
    for (const job of jobs ?? []) await ledger.note({ kind: 'scheduled', job });
    await sleep(150);
  }
}
