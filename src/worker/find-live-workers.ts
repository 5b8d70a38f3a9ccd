import type { Collection, Filter } from 'mongodb';
import * as z from 'zod';
import { anyMoment } from '../mongo/any-moment.js';
import { readPage } from '../mongo/read-page.js';
import { type PageFilter, pageSchema, toCursorText } from '../page-filter.js';
import { validateNow } from '../validate.js';
import type { LiveWorker, WorkerDocument } from './worker-document.js';

/** A page of the live invocations. */
export interface WorkerPage {
  readonly workers: LiveWorker[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/**
 * Returns a page of the live invocations, oldest first. See `Workers.list`.
 *
 * The cursor holds a moment and how many invocations that began then were returned. It reveals no worker's name.
 *
 * @throws ValidationError
 */
export async function listLiveWorkers(
  workers: Collection<WorkerDocument>,
  filter: PageFilter = {},
): Promise<WorkerPage> {
  const { limit, maxBytes, cursor } = validateNow(filterSchema, filter, 'Filter of workers');
  const since = new Date(cursor?.started ?? 0);
  const place = { sort: { started: 1, _id: 1 }, skip: cursor?.given ?? 0 } as const;
  const found = workers.find(
    { started: { $gte: since }, ...isLive },
    { ...place, limit: limit + 1, batchSize: limit + 1 },
  );
  const { documents, hasMore } = await readPage(found, { limit, maxBytes });
  return {
    workers: documents.map(({ _id: id, ...rest }) => ({ id, ...rest })),
    cursor: hasMore ? cursorBehind(documents, cursor) : undefined,
  };
}

/** A moment, and how many of the workers that began then were returned. */
interface Place {
  readonly started: number;
  readonly given: number;
}

const placeSchema = z.strictObject({ started: z.int().min(0), given: z.int().min(0).max(1_000_000) });

const filterSchema = pageSchema(placeSchema);

function cursorBehind(documents: readonly WorkerDocument[], before: Place | undefined): string | undefined {
  const started = documents.at(-1)?.started.getTime();
  if (started === undefined) return undefined;
  const beginning = documents.filter((worker) => worker.started.getTime() === started).length;
  return toCursorText({ started, given: beginning + (before?.started === started ? before.given : 0) });
}

/** Returns the number of live invocations. A worker that only waits for jobs does not count. */
export async function countLiveWorkers(workers: Collection<WorkerDocument>): Promise<number> {
  return workers.countDocuments({ worker: { $exists: false }, ...isLive });
}

/** The index holds only documents that have a `processor`. */
const isLive: Filter<WorkerDocument> = {
  processor: { $type: 'string' },
  expires: anyMoment,
  $expr: { $gt: ['$expires', '$$NOW'] },
};
