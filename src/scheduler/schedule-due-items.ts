import type { Logger } from '../log.js';
import type { Collections } from '../mongo/collections.js';
import { type DefaultsOf, fireDueItems } from './fire-due-items.js';
import type { BrokenItem } from './plan-items.js';

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
  log: Logger,
): Promise<string[]> {
  const jobIds: string[] = [];
  const except: string[] = [];
  while (Date.now() < deadline) {
    const limits = { ...BATCH, aheadMs, deadline, except };
    const fired = await fireDueItems(collections, defaultsOf, limits);
    if (fired.isDone) break;
    jobIds.push(...fired.jobIds);
    except.push(...fired.cut, ...told(fired.broken, log));
  }
  return jobIds;
}

/** Makes the job of one occurrence of the item that is due longest, and returns its id; undefined when none is due. */
export async function scheduleNextJob(
  collections: Collections,
  defaultsOf: DefaultsOf,
  log: Logger,
): Promise<string | undefined> {
  const except: string[] = [];
  for (;;) {
    const one = { items: 1, jobs: 1, perItem: 1, aheadMs: 0, deadline: Number.POSITIVE_INFINITY, except };
    const { isDone, jobIds, broken } = await fireDueItems(collections, defaultsOf, one);
    // An item may have moved on without a job: its occurrence was skipped or too old. Then the next one is looked at.
    if (isDone || jobIds.length > 0) return jobIds[0];
    except.push(...told(broken, log));
  }
}

/** Their ids. Each tick tells again, until somebody sees to it. */
function told(broken: readonly BrokenItem[], log: Logger): string[] {
  for (const { id: item, error } of broken)
    log.error('A scheduler item makes no jobs: its document cannot be read', { item, error: String(error) });
  return broken.map(({ id }) => id);
}
