import type { SchedulerDefinition } from './scheduler-options.js';

/**
 * Scheduler items: what makes jobs at set times.
 *
 * - definition: what a person decides about an item
 * - occurrence: one moment at which an item is due; each makes exactly one job
 * - next call time: the next occurrence that has no job yet; it moves on in the transaction that makes the job
 * - made ahead: an occurrence whose job was made before it is due, with that moment as `runAt`
 * - withdrawn: a job that was made ahead and removed before it was due, the item moved back with it
 */

/** What changes as an item makes its jobs. */
export interface SchedulerItemState {
  /** False also of an item whose last occurrence has its job, made ahead or not. */
  readonly active: boolean;
  /** It became inactive since it has no occurrence any more; nobody has switched it on or off since. */
  readonly ended?: true;
  /** Null while the item is not active. */
  readonly nextCallTime: Date | null;
  /** The last occurrence that made a job; in the future when that was made ahead. */
  readonly lastCallTime: Date | null;
  /** The job of `lastCallTime`. */
  readonly lastJobId?: string;
  /** How many occurrences have made a job. */
  readonly occurrences: number;
  /** How many made none, since the job of the one before was not settled: see `overlap`. */
  readonly skipped: number;
  /** Only of an item that is declared in code: by which processor, and a hash of its declaration, empty once it is declared no more. */
  readonly declared?: { readonly by: string; readonly hash: string };
  /** Goes up with every change by a person. An advance names the version it computed with. */
  readonly version: number;
}

/** One document of the collection `scheduler`. */
export type SchedulerItemDocument = { readonly _id: string } & SchedulerDefinition & SchedulerItemState;

/** A scheduler item as the API gives it: the document, with `id` for `_id`. */
export type SchedulerItem = { readonly id: string } & SchedulerDefinition & SchedulerItemState;

/** What a document that was written by another program may lack. */
const defaults = { catchUp: 'once', overlap: 'allow', occurrences: 0, skipped: 0 } as const;

/** A document as it was read, with everything that its type says. */
export function complete<Item extends object>(item: Item): Item {
  return { ...defaults, ...item };
}

/** The document as the API gives it. */
export function toSchedulerItem({ _id, ...rest }: SchedulerItemDocument): SchedulerItem {
  return { id: _id, ...rest };
}

/** How many more occurrences may make a job; infinite without `maxOccurrences`. */
export function occurrencesLeft({ maxOccurrences, occurrences }: SchedulerItemDocument): number {
  return Math.max(0, (maxOccurrences ?? Number.POSITIVE_INFINITY) - occurrences);
}

/** Whether a changed item goes on with the next occurrence that it had before. */
export function isNextOf(changed: SchedulerItemDocument, before: SchedulerItemDocument): boolean {
  return changed.active && changed.nextCallTime?.getTime() === before.nextCallTime?.getTime();
}

/** What a person decided about the item. */
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

/** The item with another definition, and all else as it is. */
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
