import type { Collections } from '../mongo/collections.js';
import { type DefaultsOf, fireDueItems } from './fire-due-items.js';

/** How many occurrences of one item a tick makes at most: one with many missed ones must not hold up the others. */
export const MAX_OCCURRENCES_PER_TICK = 500;

/** Per transaction. */
const BATCH = { items: 500, jobs: 1000, perItem: MAX_OCCURRENCES_PER_TICK };

export interface TickOptions {
  /** Occurrences that are due within so long are made ahead. */
  readonly aheadMs: number;
  /** When it has to end, in milliseconds since the epoch: what is left then is due at the next tick. */
  readonly deadline: number;
}

/** Makes the jobs of all due items, batch by batch, and returns the ids of the jobs. */
export async function scheduleDueItems(
  collections: Collections,
  defaultsOf: DefaultsOf,
  { aheadMs, deadline }: TickOptions,
): Promise<string[]> {
  const jobIds: string[] = [];
  const except: string[] = [];
  while (Date.now() < deadline) {
    const fired = await fireDueItems(collections, defaultsOf, { ...BATCH, aheadMs, except });
    jobIds.push(...fired.jobIds);
    except.push(...fired.cut);
    if (fired.items === 0) break;
  }
  return jobIds;
}

/** Makes the job of one occurrence of the item that is due longest, and returns its id; undefined when none is due. */
export async function scheduleNextJob(
  collections: Collections,
  defaultsOf: DefaultsOf,
): Promise<string | undefined> {
  for (;;) {
    const one = { aheadMs: 0, items: 1, jobs: 1, perItem: 1, except: [] };
    const { items, jobIds } = await fireDueItems(collections, defaultsOf, one);
    // An item may have moved on without a job: its occurrence was skipped or too old. Then the next one is looked at.
    if (items === 0 || jobIds.length > 0) return jobIds[0];
  }
}
