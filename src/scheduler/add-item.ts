import { type Db, ObjectId } from 'mongodb';
import type { JobRegistry } from '../job/registry.js';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { validateNow } from '../validate.js';
import { activated, neverDue } from './activate.js';
import { checkJob } from './check-job.js';
import { insertItem } from './insert-item.js';
import type { SchedulerItemDocument } from './item.js';
import {
  type SchedulerDefinition,
  type SchedulerOptions,
  schedulerOptionsSchema,
} from './scheduler-options.js';

/** Adds a scheduler item and returns its id: see `RemoteProcessor.addScheduler`. */
export async function addItem(
  db: Db,
  { scheduler }: Collections,
  registry: JobRegistry,
  options: SchedulerOptions,
): Promise<string> {
  const subject = 'Options of addScheduler';
  const { id: given, active, ...definition } = validateNow(schedulerOptionsSchema, options, subject);
  const id = given ?? new ObjectId().toHexString();
  const now = await serverTime(db);
  const item = newItem(id, await checkJob(registry, definition, now, subject));
  const started = activated(item, now);
  if (!started.active) throw neverDue(item, now, subject);
  await insertItem(scheduler, active ? started : item);
  return id;
}

/** An item that has made no job yet, and is not active. */
export function newItem(id: string, definition: SchedulerDefinition): SchedulerItemDocument {
  return {
    _id: id,
    ...definition,
    active: false,
    nextCallTime: null,
    lastCallTime: null,
    occurrences: 0,
    skipped: 0,
    version: 1,
  };
}
