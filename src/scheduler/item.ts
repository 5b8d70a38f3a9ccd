/**
 * Scheduler items: what makes jobs at set times.
 *
 * - occurrence: one moment at which an item is due; each makes exactly one job
 * - next call time: the item's next occurrence; it moves on in the transaction that makes the job
 */

/** Fields of a `Cron` item: an empty list means every; all lists must match. */
export interface CronFields {
  /** 0 to 59. */
  readonly minute: readonly number[];
  /** 0 to 23. */
  readonly hour: readonly number[];
  /** 1 to 31. */
  readonly dayOfMonth: readonly number[];
  /** 1 to 12. */
  readonly month: readonly number[];
  /** 0 is Monday, 6 is Sunday. */
  readonly dayOfWeek: readonly number[];
}

interface SchedulerItemBase {
  readonly title: string;
  readonly description: string;
  readonly jobName: string;
  /** Of the jobs it makes; absent when they take none. */
  readonly input?: unknown;
  readonly active: boolean;
  /** Null while the item is not active, or when it will never be due again. */
  readonly nextCallTime: Date | null;
  /** The last occurrence that made a job. */
  readonly lastCallTime: Date | null;
  /** IANA name; the lists of a `Cron` item are read in it. */
  readonly timeZone: string;
  /** After downtime: `once` makes one job for all missed occurrences. */
  readonly catchUp: 'once';
  /** Goes up with every change by a person. An advance names the version it computed with. */
  readonly version: number;
}

/** Due when all of its lists match, in its time zone. */
export interface CronItem extends SchedulerItemBase, CronFields {
  readonly type: 'Cron';
}

/** Due every `delay` milliseconds: first after activation, then each after the previous due time. */
export interface DelayItem extends SchedulerItemBase {
  readonly type: 'Delay';
  readonly delay: number;
}

/** One document of the collection `scheduler`. */
export type SchedulerItemDocument = { readonly _id: string } & (CronItem | DelayItem);

/** A scheduler item as the API gives it: the document, with `id` for `_id`. */
export type SchedulerItem = { readonly id: string } & (CronItem | DelayItem);

/** The document as the API gives it. */
export function toSchedulerItem({ _id, ...rest }: SchedulerItemDocument): SchedulerItem {
  return { id: _id, ...rest };
}
