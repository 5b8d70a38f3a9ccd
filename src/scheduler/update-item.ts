import type { Db } from 'mongodb';
import * as z from 'zod';
import type { JobRegistry } from '../job/registry.js';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { validateNow } from '../validate.js';
import { callTimeFrom, neverDue, redefine } from './activate.js';
import { changeItem } from './change-item.js';
import { checkJob } from './check-job.js';
import { requireItem } from './find-items.js';
import { definitionOf, type SchedulerItem, type SchedulerItemDocument } from './item.js';
import {
  listNames,
  type SchedulerChanges,
  type SchedulerDefinition,
  schedulerOptionsSchema,
  sharedNames,
} from './scheduler-options.js';

const subject = 'Changes of updateScheduler';

const changesSchema = z
  .looseObject({ id: z.undefined({ error: 'an id cannot be changed' }), active: z.boolean().optional() })
  .transform(({ id: _, active, ...rest }) => {
    const given = Object.entries(rest).filter(([, value]) => value !== undefined);
    return { active, changes: Object.fromEntries(given) };
  });

/** Changes a scheduler item: see `RemoteProcessor.updateScheduler`. */
export async function updateItem(
  db: Db,
  collections: Collections,
  registry: JobRegistry,
  id: string,
  given: SchedulerChanges,
): Promise<SchedulerItem> {
  const { active, changes } = validateNow(changesSchema, given, subject);
  const before = await requireItem(collections.scheduler, id);
  // Checked before the transaction begins: asking who knows the job takes time.
  await checkJob(registry, merged(before, changes), await serverTime(db), subject);
  return changeItem(db, collections, id, (item, now) => {
    const changed = redefine(item, merged(item, changes), active ?? item.active, now);
    const isDueSometime = changed.active || callTimeFrom(changed, now) !== null;
    if (!isDueSometime && item.active) throw neverDue(changed, subject);
    return changed;
  });
}

/** @throws ValidationError listing everything that is wrong with the result */
function merged(item: SchedulerItemDocument, changes: Record<string, unknown>): SchedulerDefinition {
  const kept = Object.entries(definitionOf(item)).filter(([name]) => !isReplaced(name, item, changes));
  const result = { ...Object.fromEntries(kept), ...changes };
  const present = Object.entries(result).filter(([name, value]) => value !== null || name === 'input');
  const { id, active, ...definition } = validateNow(
    schedulerOptionsSchema,
    Object.fromEntries(present),
    subject,
  );
  return definition;
}

/** Of another type only what all types have is kept; and an expression takes the place of lists, or the other way. */
function isReplaced(
  name: string,
  { type }: SchedulerItemDocument,
  changes: Record<string, unknown>,
): boolean {
  if (changes.type !== undefined && changes.type !== type) return !sharedNames.has(name);
  const isList = (candidate: string) => listNames.some((list) => list === candidate);
  if (typeof changes.cron === 'string') return isList(name);
  return name === 'cron' && Object.keys(changes).some(isList);
}
