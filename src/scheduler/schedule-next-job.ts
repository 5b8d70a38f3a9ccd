import type { Logger } from '../log.js';
import { fireDueItems, PATIENCE_MS } from './fire-due-items.js';
import { type JobMaker, type JobMaking, makingJobs } from './job-making.js';
import type { MadeJob } from './make-planned.js';
import type { SchedulerCollections } from './scheduler-collection.js';
import { tellBroken, tellHeld } from './tell-items.js';

/**
 * Makes one job: the next occurrence of the item that has been due longest. Skips items that yield no job. Returns undefined if
 * none is left.
 */
export function scheduleNextJob(
  collections: SchedulerCollections,
  maker: JobMaker,
  log: Logger,
): Promise<MadeJob | undefined> {
  return makingJobs(maker, (making) => makeNext(collections, making, log));
}

async function makeNext(
  collections: SchedulerCollections,
  making: JobMaking,
  log: Logger,
): Promise<MadeJob | undefined> {
  const one = { items: 1, jobs: 1, perItem: 1, aheadMs: 0, deadline: Number.POSITIVE_INFINITY };
  const except: string[] = [];
  for (;;) {
    const fired = await fireDueItems(collections, making, one, { except }, PATIENCE_MS);
    switch (fired.kind) {
      case 'done':
        return undefined;
      case 'held':
        tellHeld(fired.ids, log);
        except.push(...fired.ids);
        break;
      case 'made':
        // An item may advance without a job if its occurrence was skipped or missed. Then the next item is tried.
        if (fired.jobs.length > 0) return fired.jobs[0];
        except.push(...tellBroken(fired.broken, log));
    }
  }
}
