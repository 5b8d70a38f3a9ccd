import type { Db } from 'mongodb';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { validateNow } from '../validate.js';
import { callTimeFrom } from './activate.js';
import { newItem } from './add-item.js';
import { requireItem } from './find-items.js';
import type { SchedulerItemDocument } from './item.js';
import { localTime, nextCallTime } from './next-call-time.js';
import { type SchedulerOptions, schedulerOptionsSchema } from './scheduler-options.js';

/** One moment at which an item will be due. */
export interface Preview {
  readonly at: Date;
  /** The same in the item's time zone, as ISO 8601 with the offset. */
  readonly local: string;
}

/** The next occurrences: see `RemoteProcessor.preview`. */
export async function preview(
  db: Db,
  { scheduler }: Collections,
  itemOrOptions: string | SchedulerOptions,
  count: number,
): Promise<Preview[]> {
  const item =
    typeof itemOrOptions === 'string' ? await requireItem(scheduler, itemOrOptions) : parse(itemOrOptions);
  const first = item.nextCallTime ?? callTimeFrom(item, await serverTime(db));
  return occurrencesFrom(item, first, count).map((at) => ({ at, local: localTime(at, item.timeZone) }));
}

function parse(options: SchedulerOptions): SchedulerItemDocument {
  const {
    id = '',
    active,
    ...definition
  } = validateNow(schedulerOptionsSchema, options, 'Options of preview');
  return newItem(id, definition);
}

function occurrencesFrom(item: SchedulerItemDocument, first: Date | null, count: number): Date[] {
  const { maxOccurrences = Number.POSITIVE_INFINITY, occurrences } = item;
  const found: Date[] = [];
  let at = first;
  while (at !== null && found.length < Math.min(count, maxOccurrences - occurrences)) {
    found.push(at);
    at = nextCallTime(item, at);
  }
  return found;
}
