import { type Db, ObjectId } from 'mongodb';
import type { Role } from '../access/role.js';
import { insertJob } from '../job/insert-job.js';
import type { JobRegistry } from '../job/registry.js';
import { ELECTION_MS } from '../mongo/election.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { serverTime } from '../mongo/server-time.js';
import { requireItem } from './find-items.js';
import { jobOf } from './occurrence-job.js';
import type { SchedulerCollections } from './scheduler-collection.js';

export interface RunNowOptions {
  readonly jobId?: string | undefined;
  readonly callerRole?: Role | undefined;
}

/** Adds a job of an item at once, in addition to its occurrences. See `Schedules.runNow`. */
export async function runNow(
  db: Db,
  { jobs, scheduler }: SchedulerCollections,
  registry: JobRegistry,
  itemId: string,
  { jobId, callerRole }: RunNowOptions,
): Promise<string> {
  const id = jobId ?? new ObjectId().toHexString();
  const giveUpAt = performance.now() + ELECTION_MS;
  const retrying = <Value>(ask: () => Promise<Value>) =>
    retryWhileUnreachable(giveUpAt - performance.now(), ask);
  const job = await retrying(async () => {
    const item = await requireItem(scheduler, itemId);
    await registry.requireMayAdd(() => item.jobName, callerRole);
    const kind = (await registry.kindsOf([item.jobName])).get(item.jobName);
    return { ...jobOf(item, await serverTime(db), kind), id };
  });
  const { events, middlewares } = registry;
  await middlewares.adding(
    [job],
    giveUpAt,
    async ([changed = job]) => {
      const { jobName, queue } = changed;
      const result = await retrying(() => insertJob(jobs, changed));
      if (result === 'inserted' && events.isHeard('jobAdded'))
        events.tell('jobAdded', { jobId: id, jobName, queue, scheduler: itemId });
    },
    itemId,
  );
  return id;
}
