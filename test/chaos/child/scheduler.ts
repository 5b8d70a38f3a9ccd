import { setTimeout as sleep } from 'node:timers/promises';
import { type Part, untilItSucceeds } from './part.js';

/** Has no code of jobs; recovers what others lost, makes the jobs of due items, and notes which it made. */
export async function schedule({ processor, ledger, stop }: Part): Promise<void> {
  while (!stop.aborted) {
    const jobs = await untilItSucceeds(() => processor.scheduleDueItems(), stop);
    for (const job of jobs ?? []) await ledger.note({ kind: 'scheduled', job });
    await sleep(150);
  }
}
