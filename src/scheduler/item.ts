import type { SchedulerDefinition } from './scheduler-options.js';

/**
 * Scheduler items make jobs at set times.
 *
 * - definition: everything about an item that a person decides
 * - occurrence: one moment at which an item is due, for which it makes exactly one job
 * - next call time: the next occurrence without a job. It advances in the transaction that makes the job
 * - made ahead: describes a job that was made before its occurrence is due, with that moment as `runAt`
 * - withdrawn: describes a job that was made ahead and removed before it was due. Its item was moved back with it
 */

/** The part of an item that changes as the item makes its jobs. */
export interface SchedulerItemState {
  /** Whether the item makes jobs. It is false once the last occurrence has its job, even if that job was made ahead. */
  readonly active: boolean;
  /**
   * True if the item became inactive because no occurrence is left, and nobody has activated or deactivated it since.
   */
  readonly ended?: true;
  /** The next occurrence. Null while the item is inactive. */
  readonly nextCallTime: Date | null;
  /** The last occurrence that made a job. In the future if the job was made ahead. */
  readonly lastCallTime: Date | null;
  /** The job of `lastCallTime`. */
  readonly lastJobId?: string;
  /** The number of occurrences that made a job. */
  readonly occurrences: number;
  /** The number of occurrences that made no job because the previous job was not settled. See `overlap`. */
  readonly skipped: number;
  /**
   * Present only on an item declared in code: the name of the declaring processor, and a hash of the declaration. The hash is
   * empty once the item is no longer declared.
   */
  readonly declared?: { readonly by: string; readonly hash: string };
  /**
   * Goes up with every change by a person. The write that advances the item requires the version that it was computed
   * from.
   */
  readonly version: number;
}

/** A document of the collection `scheduler`. */
export type SchedulerItemDocument = { readonly _id: string } & SchedulerDefinition & SchedulerItemState;

/** A scheduler item as the API returns it: its document with `id` instead of `_id`. */
export type SchedulerItem = { readonly id: string } & SchedulerDefinition & SchedulerItemState;

/** Defaults for fields that a document written by another program may lack. */
const defaults = { catchUp: 'once', overlap: 'allow', occurrences: 0, skipped: 0 } as const;

/** Adds the default fields to a document as it was read. */
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

/** Returns whether the next occurrence stays the same after a change. Its job is not lost then. */
export function isNextOf(changed: SchedulerItemDocument, before: SchedulerItemDocument): boolean {
  return changed.active && changed.nextCallTime?.getTime() === before.nextCallTime?.getTime();
}

/** Returns the part of the item that a person decides. */
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
