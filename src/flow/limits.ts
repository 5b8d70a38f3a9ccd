import type { Collection } from 'mongodb';
import { batchesOf } from '../batches-of.js';
import type { CappedCount } from '../job/count-jobs.js';
import type { JobDocument } from '../job/job.js';
import { byId } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import { namePageSchema, type PageFilter, toCursorText } from '../page-filter.js';
import { validateNow } from '../validate.js';
import type { FlowCollections, LimitDocument } from './limit-document.js';
import { askLines, findTakenSlots } from './line-statements.js';
import { LINES_AT_A_TIME } from './lines.js';

/** Maximum number of waiting jobs counted per limit. */
const MAX_COUNTED = 1000;

/** A limit that jobs wait for, or that was used recently. */
export interface Limit {
  /** The limit's name, and `=` and the key if it has one, such as `import=acme`. */
  readonly key: string;
  /** Jobs that wait for a place in it, counted up to 1,000. */
  readonly waiting: CappedCount;
  /** How many of its places are taken. */
  readonly taken: number;
  /** When no job starts before, because a job was told to slow down. Null if that is over. */
  readonly slowedUntil: Date | null;
}

export interface LimitPage {
  readonly limits: Limit[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/** The limits on how many jobs run at a time, and start in a period. */
export class Limits {
  constructor(private readonly collections: Connected<FlowCollections>) {}

  /**
   * Returns a page of the limits that jobs wait for, or that were used recently, by key, and a cursor for the next page.
   * A limit is listed for a minute or two after its last job waited. A page costs a command per 50 limits and two more.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async list(filter: PageFilter = {}): Promise<LimitPage> {
    const { limit, cursor = '' } = validateNow(namePageSchema, filter, 'Filter of limits');
    const { jobs, limits } = await this.collections();
    const options = { sort: { _id: 1 }, limit: limit + 1, batchSize: limit + 2, ...byId } as const;
    const found = await limits.find({ _id: { $gt: cursor } }, options).toArray();
    const shown = found.slice(0, limit);
    const keys = shown.map(({ _id }) => _id);
    const [counts, taken] = await Promise.all([
      Promise.all(batchesOf(keys, LINES_AT_A_TIME).map((some) => countWaiting(jobs, some))),
      findTakenSlots(jobs, keys),
    ]);
    const waiting = new Map(counts.flatMap((some) => [...some]));
    const last = found.length > limit ? shown.at(-1) : undefined;
    return {
      limits: shown.map((document) => ({
        key: document._id,
        waiting: waiting.get(document._id) ?? { count: 0, isCapped: false },
        taken: taken.get(document._id)?.size ?? 0,
        slowedUntil: slowedUntil(document),
      })),
      cursor: last && toCursorText(last._id),
    };
  }
}

/** Uses this machine's clock, which is exact enough for a list. */
function slowedUntil({ until }: LimitDocument): Date | null {
  return until !== undefined && until.getTime() > Date.now() ? until : null;
}

/** Counts the jobs in these lines, by one command. */
async function countWaiting(
  jobs: Collection<JobDocument>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, CappedCount>> {
  const counts = await askLines<{ readonly key: string; readonly count: number }>(jobs, keys, 1, (key) => [
    { $match: { blockedBy: key, status: 'queued' } },
    { $limit: MAX_COUNTED + 1 },
    { $count: 'count' },
    { $set: { key: { $literal: key } } },
  ]);
  return new Map(
    counts.map(({ key, count }) => [
      key,
      { count: Math.min(count, MAX_COUNTED), isCapped: count > MAX_COUNTED },
    ]),
  );
}
