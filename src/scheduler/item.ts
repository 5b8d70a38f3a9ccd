import type { SchedulerDefinition } from './scheduler-options.js';

/**
 * Scheduler items make jobs at set times.
 *
 * - definition: all that a person decides about an item
 * - occurrence: one moment at which an item is due; each makes exactly one job
 * - next call time: the next occurrence that has no job yet; it moves on in the transaction that makes the job
 * - made ahead: an occurrence whose job was made before it is due, with that moment as `runAt`
 * - withdrawn: a job that was made ahead and removed before it was due; the item was moved back with it
 */

/** The part of an item that changes as the item makes its jobs. */
export interface SchedulerItemState {
  /** False also once the item's last occurrence has its job, made ahead or not. */
  readonly active: boolean;
  /** True if the item became inactive because no occurrence is left, and nobody has switched it on or off since. */
  readonly ended?: true;
  /** The next occurrence; null while the item is inactive. */
  readonly nextCallTime: Date | null;
  /** The last occurrence that made a job. It lies in the future if the job was made ahead. */
  readonly lastCallTime: Date | null;
  /** The job of `lastCallTime`. */
  readonly lastJobId?: string;
  /** The number of occurrences that made a job. */
  readonly occurrences: number;
  /** The number of occurrences that made no job because the previous job was not settled. See `overlap`. */
  readonly skipped: number;
  /**
   * Present only on an item declared in code: the processor that declares it and a hash of the declaration. The hash is
   * empty once the item is no longer declared.
   */
  readonly declared?: { readonly by: string; readonly hash: string };
  /** Goes up with every change by a person. An advance names the version it was computed from. */
  readonly version: number;
}

/** A document of the collection `scheduler`. */
export type SchedulerItemDocument = { readonly _id: string } & SchedulerDefinition & SchedulerItemState;

/** A scheduler item as the API returns it: the document, with `id` for `_id`. */
export type SchedulerItem = { readonly id: string } & SchedulerDefinition & SchedulerItemState;

/** The fields that a document written by another program may lack. */
const defaults = { catchUp: 'once', overlap: 'allow', occurrences: 0, skipped: 0 } as const;

/** Returns a document as it was read, with all fields that its type promises. */
export function complete<Item extends object>(item: Item): Item {
  return { ...defaults, ...item };
}

export function toSchedulerItem({ _id, ...rest }: SchedulerItemDocument): SchedulerItem {
  return { id: _id, ...rest };
}

/** Returns how many more occurrences may make a job. Infinite without `maxOccurrences`. */
export function occurrencesLeft({ maxOccurrences, occurrences }: SchedulerItemDocument): number {
  return Math.max(0, (maxOccurrences ?? Number.POSITIVE_INFINITY) - occurrences);
}

/** Returns whether a changed item goes on with the next occurrence that it had before. */
export function isNextOf(changed: SchedulerItemDocument, before: SchedulerItemDocument): boolean {
  return changed.active && changed.nextCallTime?.getTime() === before.nextCallTime?.getTime();
}

/** Returns the part of the item that a person decided. */
export function definitionOf(item: SchedulerItemDocument): SchedulerDefinition {
  const {
    _id,
    active,
    ended,
    nextCallTime,
    lastCallTime,
    lastJobId,
    occurrences,
    skipped,
    declared,
    version,
    ...definition
  } = item;
  return definition;
}

export function redefined(
  item: SchedulerItemDocument,
  definition: SchedulerDefinition,
): SchedulerItemDocument {
  const { _id, active, ended, nextCallTime, lastCallTime, lastJobId, occurrences } = item;
  const { skipped, declared, version } = item;
  return {
    ...definition,
    ...{ _id, active, nextCallTime, lastCallTime, occurrences, skipped, version },
    ...(ended && { ended }),
    ...(lastJobId !== undefined && { lastJobId }),
    ...(declared !== undefined && { declared }),
  };
}
