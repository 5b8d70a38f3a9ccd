import type { Db } from 'mongodb';
import * as z from 'zod';
import type { Role } from '../access/role.js';
import { ConflictError, ValidationError } from '../errors.js';
import { restored } from '../job/redacted-paths.js';
import type { JobRegistry } from '../job/registry.js';
import { ELECTION_MS } from '../mongo/election.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { serverTime } from '../mongo/server-time.js';
import { validateNow } from '../validate.js';
import { callTimeFrom, hasMomentsOf, hasTimingOf, neverDue, redefine } from './activate.js';
import { changeItem } from './change-item.js';
import { checkJob } from './check-job.js';
import { requireItem } from './find-items.js';
import { definitionOf, type SchedulerItem, type SchedulerItemDocument } from './item.js';
import type { SchedulerCollections } from './scheduler-collection.js';
import {
  listNames,
  type SchedulerChanges,
  type SchedulerDefinition,
  schedulerChangesSchema,
  schedulerOptionsSchema,
  sharedNames,
} from './scheduler-options.js';

const subject = 'The call of updateScheduler';

const changesSchema = z
  .looseObject({
    id: z.never({ error: 'an id cannot be changed' }).optional(),
    active: z.boolean().optional(),
  })
  .transform(({ id: _, active, ...rest }) => {
    const given = Object.entries(rest).filter(([, value]) => value !== undefined);
    return { active, changes: Object.fromEntries(given) };
  });

export interface UpdateOptions {
  readonly version?: number | undefined;
  readonly callerRole?: Role | undefined;
}

/** Changes a scheduler item. See `RemoteProcessor.updateScheduler`. */
export async function updateItem(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  id: string,
  given: SchedulerChanges,
  { version, callerRole }: UpdateOptions,
): Promise<SchedulerItem> {
  const { active, changes } = validateNow(changesSchema, given, subject);
  for (;;) {
    // Checked before the transaction, because looking up the job takes time.
    const { before, definition } = await retryWhileUnreachable(ELECTION_MS, async () => {
      const before = await requireItem(collections.scheduler, id);
      if (version !== undefined && before.version !== version)
        throw new ConflictError(
          id,
          `Scheduler item '${id}' was changed meanwhile: version ${before.version}.`,
        );
      await registry.requireMayAdd(() => before.jobName, callerRole);
      const now = await serverTime(db);
      const merged = await withStoredValues(registry, before, changes, merge(before, changes), callerRole);
      return { before, definition: await checkJob(registry, merged, now, subject, callerRole) };
    });
    let isOutdated = false;
    const item = await changeItem(db, collections, registry, id, (current, at) => {
      isOutdated = current.version !== before.version;
      return isOutdated ? undefined : update(current, definition, active, at);
    });
    if (!isOutdated) return item;
  }
}

/**
 * Returns the changed item.
 *
 * @throws ValidationError if it would never be due, although it should be active or its times change
 */
function update(
  item: SchedulerItemDocument,
  definition: SchedulerDefinition,
  active: boolean | undefined,
  now: Date,
): SchedulerItemDocument {
  const updated = redefine(item, definition, active, now);
  const isNever =
    (active ?? item.active) ? !updated.active : !hasTimingOf(item, updated) && !callTimeFrom(updated, now);
  if (!isNever) return updated;
  const nextCallTime = hasMomentsOf(item, updated) ? item.nextCallTime : null;
  throw neverDue({ ...updated, nextCallTime }, now, subject);
}

/**
 * Returns the changed definition. The stored values replace the masks in its input. A caller who may not see these values
 * cannot pass them on to another kind of job. That kind might show them.
 *
 * @throws ValidationError
 */
async function withStoredValues(
  registry: JobRegistry,
  before: SchedulerItemDocument,
  changes: Record<string, unknown>,
  merged: SchedulerDefinition,
  callerRole: Role | undefined,
): Promise<SchedulerDefinition> {
  const isMoved = merged.jobName !== before.jobName;
  if (changes.input === undefined && !isMoved) return merged;
  const paths = (await registry.redactionsOf([before.jobName])).get(before.jobName);
  if (!isMoved) return { ...merged, input: restored(merged.input, before.input, paths ?? []) };
  const isHidden = before.input !== undefined && paths?.length !== 0;
  const isLimited = callerRole !== undefined && callerRole !== 'admin';
  if (isHidden && isLimited && changes.input === undefined)
    throw new ValidationError(subject, [{ path: 'input', message: OF_ANOTHER_KIND }]);
  return merged;
}

const OF_ANOTHER_KIND =
  'expected an input for the other kind of job: the present one has redacted fields, which only the role admin may pass on';

/** Returns the changed definition. @throws ValidationError listing everything that is wrong with it */
function merge(item: SchedulerItemDocument, changes: Record<string, unknown>): SchedulerDefinition {
  const kept = Object.entries(definitionOf(item)).filter(([name]) => !isReplaced(name, item, changes));
  const result = { ...Object.fromEntries(kept), ...changes };
  const present = Object.entries(result).filter(([name, value]) => value !== null || !isTakenAway(name));
  const { id, active, ...definition } = validateNow(
    schedulerOptionsSchema,
    Object.fromEntries(present),
    subject,
  );
  if (isOfEveryMinute(definition) && !isOfEveryMinute(item))
    throw new ValidationError(subject, [{ path: 'cron', message: withoutTimes }]);
  return definition;
}

/** Returns whether null removes this option. For `input` null is a value, and for an unknown option it is refused. */
function isTakenAway(name: string): boolean {
  return name !== 'input' && Object.hasOwn(schedulerChangesSchema.shape, name);
}

const withoutTimes = "expected an expression, or a list that is not empty: '* * * * *' is every minute";

/** Returns whether a `Cron` item has only empty lists. A change with that result is a mistake. */
function isOfEveryMinute(definition: SchedulerDefinition): boolean {
  if (definition.type !== 'Cron' || 'cron' in definition) return false;
  return listNames.every((name) => definition[name].length === 0);
}

/**
 * Returns whether the changes replace an option. With another type, only the shared options are kept. An expression
 * replaces lists, and lists replace an expression.
 */
function isReplaced(
  name: string,
  { type }: SchedulerItemDocument,
  changes: Record<string, unknown>,
): boolean {
  if (changes.type !== undefined && changes.type !== type) return !sharedNames.has(name);
  if (typeof changes.cron === 'string') return isList(name);
  return name === 'cron' && Object.entries(changes).some(([given, value]) => isList(given) && value !== null);
}

function isList(name: string): boolean {
  return listNames.some((list) => list === name);
}
