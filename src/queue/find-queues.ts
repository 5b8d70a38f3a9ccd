import type { Collection, Document } from 'mongodb';
import { type CappedCount, countCapped } from '../job/count-jobs.js';
import { claimableByQueue } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { findLongestWaiting, waitingSince } from '../job/longest-waiting.js';
import { isClaimable, priorities } from '../job/queued-jobs.js';
import { orIndexMissing } from '../mongo/index-missing.js';
import { fittingInto } from '../mongo/read-page.js';
import { namePageSchema, type PageFilter, toCursorText } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { findPausedQueues } from './find-paused-queues.js';
import type { Queue, QueueCollections, QueuePage } from './queue-document.js';

/**
 * Maximum number of jobs that one command reads, whatever their queues. A queue with more jobs is counted on its own.
 */
const SCANNED = 10_000;

/** Jobs that the first command reads for each queue of the page. If queues have few jobs, one such command fills a page. */
const SCANNED_PER_QUEUE = 5;

/** Maximum number of scans for a page, which bounds its cost. */
const MAX_SCANS = 8;

type WhatWaits = Omit<Queue, 'paused'>;

/**
 * Returns a page of the queues that have queued jobs or are paused, by name. Jobs are counted up to 10,000.
 *
 * The cost of a page does not grow with the number of queues. One command finds the paused queues. Another counts up to five
 * jobs for each queue of the page. If these do not fill the page, further commands count 10,000 jobs each. A larger queue takes
 * three more commands. After eight scans the page ends, even with fewer queues than `limit`.
 *
 * @throws ValidationError for a filter that is not a `PageFilter`
 */
export async function findQueues(
  { jobs, queues }: QueueCollections,
  filter: PageFilter = {},
): Promise<QueuePage> {
  const { limit, maxBytes, cursor = '' } = validateNow(namePageSchema, filter, 'Filter of queues');
  const [waiting, paused] = await Promise.all([
    findWaiting(jobs, cursor, limit),
    findPausedQueues(queues, { after: cursor, limit: limit + 1 }),
  ]);
  const byName = new Map(
    waiting.found.map((queue): [string, Queue] => [queue.name, { ...queue, paused: null }]),
  );
  for (const { _id: name, paused: since } of paused)
    byName.set(name, { ...(byName.get(name) ?? nothingIn(name)), paused: since });
  const all = [...byName.values()].sort((one, other) => compareNames(one.name, other.name));
  // Queues after the last scanned one are not known yet, so any later paused queue must wait for the next page.
  const known = all.filter(({ name }) => waiting.end === undefined || compareNames(name, waiting.end) <= 0);
  const shown = known.slice(0, limit).filter(fittingInto(maxBytes));
  const last = shown.at(-1);
  const hasMore = waiting.end !== undefined || known.length > shown.length;
  return { queues: shown, cursor: hasMore && last ? toCursorText(last.name) : undefined };
}

/** Compares names as the database does, by their bytes. */
function compareNames(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

const none: CappedCount = { count: 0, isCapped: false };

function nothingIn(name: string): WhatWaits {
  return { name, ready: none, delayed: none, oldest: null };
}

/**
 * Returns the queues after `after` that have queued jobs. `end` is the last queue that was scanned. It is present if there may
 * be more.
 */
async function findWaiting(
  jobs: Collection<JobDocument>,
  after: string,
  limit: number,
): Promise<{ readonly found: WhatWaits[]; readonly end: string | undefined }> {
  const found: WhatWaits[] = [];
  let end = after;
  for (let scans = 0; scans < MAX_SCANS && found.length <= limit; scans += 1) {
    const size = scans === 0 ? Math.min(SCANNED, (limit + 2) * SCANNED_PER_QUEUE) : SCANNED;
    const counted = await scan(jobs, end, size);
    const isAll = counted.reduce((sum, { jobs: count }) => sum + count, 0) < size;
    const [first, ...others] = counted;
    if (isAll || !first) return { found: [...found, ...counted.map(toWhatWaits)], end: undefined };
    if (others.length === 0 && size < SCANNED) continue;
    // More jobs of the last queue may follow those that were read.
    found.push(
      ...(others.length === 0 ? [await countLarge(jobs, first.name)] : counted.slice(0, -1).map(toWhatWaits)),
    );
    end = found.at(-1)?.name ?? end;
  }
  return { found, end };
}

/** The counts of a queue, or of the part of it that was read. */
interface Counted {
  readonly name: string;
  readonly jobs: number;
  readonly ready: number;
  readonly delayed: number;
  readonly oldest: Date | null;
}

/** Counts the next `size` queued jobs by queue, in the order of the queues. */
function scan(jobs: Collection<JobDocument>, after: string, size: number): Promise<Counted[]> {
  const isDue = { $lte: ['$runAt', '$$NOW'] };
  const pipeline: Document[] = [
    { $match: { ...isClaimable, queue: { $gt: after } } },
    { $sort: { queue: 1 } },
    { $limit: size },
    {
      $group: {
        _id: '$queue',
        jobs: { $sum: 1 },
        ready: { $sum: { $cond: [isDue, 1, 0] } },
        delayed: { $sum: { $cond: [isDue, 0, 1] } },
        oldest: { $min: { $cond: [isDue, waitingSince, null] } },
      },
    },
    { $sort: { _id: 1 } },
    { $project: { _id: 0, name: '$_id', jobs: 1, ready: 1, delayed: 1, oldest: 1 } },
  ];
  const options = { hint: claimableByQueue.key, batchSize: size + 1 };
  return orIndexMissing(jobs.aggregate<Counted>(pipeline, options).toArray());
}

function toWhatWaits({ name, ready, delayed, oldest }: Counted): WhatWaits {
  return { name, ready: { ...none, count: ready }, delayed: { ...none, count: delayed }, oldest };
}

/** Counts the jobs of a queue with more than 10,000. */
async function countLarge(jobs: Collection<JobDocument>, name: string): Promise<WhatWaits> {
  const queuedThat = ($expr: Document) => ({
    ...isClaimable,
    queue: name,
    priority: { $in: [...priorities] },
    $expr,
  });
  const isDue = queuedThat({ $lte: ['$runAt', '$$NOW'] });
  const [ready, delayed, oldest] = await Promise.all([
    countCapped(jobs, claimableByQueue, isDue),
    countCapped(jobs, claimableByQueue, queuedThat({ $gt: ['$runAt', '$$NOW'] })),
    findLongestWaiting(jobs, claimableByQueue, isDue, { runAt: 1 }),
  ]);
  return { name, ready, delayed, oldest: oldest?.since ?? null };
}
