import { type Db, ObjectId } from 'mongodb';
import type { Role } from '../access/role.js';
import { ConflictError } from '../errors.js';
import type { JobRegistry } from '../job/registry.js';
import { ELECTION_MS } from '../mongo/election.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { serverTime } from '../mongo/server-time.js';
import { validateNow } from '../validate.js';
import { activated, neverDue } from './activate.js';
import { checkJob } from './check-job.js';
import { insertItem } from './insert-item.js';
import type { SchedulerItemDocument } from './item.js';
import type { SchedulerCollections } from './scheduler-collection.js';
import {
  type SchedulerDefinition,
  type SchedulerOptions,
  schedulerOptionsSchema,
} from './scheduler-options.js';
import { type TypedScheduler, withJobName } from './typed-scheduler.js';

/** Adds a scheduler item and returns its id. See `RemoteProcessor.addScheduler`. */
export async function addItem(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  options: SchedulerOptions | TypedScheduler<unknown>,
  callerRole?: Role,
): Promise<string> {
  const { active, item, started } = await prepareItem(db, registry, options, callerRole);
  const { _id: id } = item;
  const inserted = await insertItem(collections, active ? started : item, started.nextCallTime);
  switch (inserted.kind) {
    case 'inserted':
      return id;
    case 'idTaken':
      throw new ConflictError(id, `There is a scheduler item with the id '${id}' already.`);
    case 'hadItsJob':
      throw new ConflictError(id, hadItsJob(id, started.nextCallTime, inserted.jobId));
  }
}

/** A checked scheduler item, which `addScheduler` would accept. */
export interface PreparedItem {
  /** Whether it is to be active at once. */
  readonly active: boolean;
  readonly item: SchedulerItemDocument;
  /** The item, activated now. */
  readonly started: SchedulerItemDocument;
}

/** Checks the options of `addScheduler`, and writes nothing. @throws the errors of `addScheduler`, except ConflictError */
export async function prepareItem(
  db: Db,
  registry: JobRegistry,
  options: SchedulerOptions | TypedScheduler<unknown>,
  callerRole?: Role,
): Promise<PreparedItem> {
  const subject = 'The call of addScheduler';
  const { id, active, ...definition } = validateNow(schedulerOptionsSchema, withJobName(options), subject);
  const { now, checked } = await retryWhileUnreachable(ELECTION_MS, async () => {
    const now = await serverTime(db);
    return { now, checked: await checkJob(registry, definition, now, subject, callerRole) };
  });
  const item = newItem(id ?? new ObjectId().toHexString(), checked);
  const started = activated(item, now);
  if (!started.active) throw neverDue(item, now, subject);
  return { active, item, started };
}

function hadItsJob(id: string, at: Date | null, jobId: string): string {
  return `A former scheduler item '${id}' made job '${jobId}' for ${at?.toISOString()}, and there is one job for each moment of an id: choose another id or moment, or remove that job.`;
}

/** Returns a new item that is inactive and has made no job. */
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
