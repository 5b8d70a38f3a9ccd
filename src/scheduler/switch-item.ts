import type { Db } from 'mongodb';
import type { Role } from '../access/role.js';
import type { JobRegistry } from '../job/registry.js';
import { activated, deactivated, neverDue } from './activate.js';
import { changeItem } from './change-item.js';
import { requireItem } from './find-items.js';
import type { SchedulerItem } from './item.js';
import type { JobMaker } from './job-making.js';
import type { SchedulerCollections } from './scheduler-collection.js';

/**
 * Activates an item as of the database's now. Leaves an active item unchanged. Also leaves an item unchanged whose last
 * occurrence was made ahead and is not due yet.
 *
 * @throws ValidationError if no occurrence is left, ForbiddenError, and errors as in `changeItem`
 */
export async function activateItem(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  id: string,
  callerRole?: Role,
): Promise<SchedulerItem> {
  const jobName = async () => (await requireItem(collections.scheduler, id)).jobName;
  await registry.requireMayAdd(jobName, callerRole);
  return changeItem(db, collections, registry, id, (item, now) => {
    if (item.active) return undefined;
    const started = activated(item, now);
    if (started.active) return started;
    throw neverDue(item, now, `Scheduler item '${id}'`);
  });
}

/**
 * Makes an item's due jobs, then deactivates it. Leaves an inactive item unchanged.
 *
 * @throws errors as in `changeItem`
 */
export function deactivateItem(
  db: Db,
  collections: SchedulerCollections,
  maker: JobMaker,
  id: string,
): Promise<SchedulerItem> {
  return changeItem(db, collections, maker, id, (item) =>
    item.active || item.ended ? deactivated(item) : undefined,
  );
}
