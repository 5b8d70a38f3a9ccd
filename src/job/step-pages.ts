import { randomUUID } from 'node:crypto';
import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { type CollectionDescription, moment, text } from '../mongo/collection-description.js';
import { bsonSize } from '../mongo/own-bson.js';
import type { JobDocument } from './job.js';
import type { StepEntry } from './step-log.js';

/**
 * A document of the collection `jobSteps`. Holds steps of a job that has many. Its id begins with the job's. The job's
 * document points to it. A page that no job points to is removed by `sweepPages`.
 */
export interface StepPageDocument {
  readonly _id: string;
  readonly jobId: string;
  readonly entries: readonly StepEntry[];
  readonly made: Date;
  /** When to look next whether its job is still there. */
  readonly checkAt: Date;
}

const CHECK = 'check';

export const stepPagesCollection: CollectionDescription = {
  name: 'jobSteps',
  ours: { _id: text, jobId: text, made: moment },
  indexes: [{ name: CHECK, key: { checkAt: 1 } }],
  formerIndexes: [],
};

/** How long a page may exist before a job points to it. Its worker may be about to write that. */
const CHECK_AFTER_MS = 24 * 60 * 60 * 1000;

/** Stores a page, and returns its id. Safe to repeat. */
export async function addPage(
  pages: Collection<StepPageDocument>,
  jobId: string,
  entries: readonly StepEntry[],
): Promise<string> {
  const _id = `${jobId}:${randomUUID()}`;
  const page = {
    jobId: { $literal: jobId },
    entries: { $literal: entries },
    made: '$$NOW',
    checkAt: { $add: ['$$NOW', CHECK_AFTER_MS] },
  };
  await pages.updateOne({ _id }, [{ $set: page }], { upsert: true, ...byId });
  return _id;
}

/** Limits for reading pages, which may be large: how much at a time, how much in all, and which of their fields. */
export interface PageLimits {
  readonly maxBytes?: number;
  readonly projection?: Readonly<Record<string, 0>>;
}

/** Few, because a page may have more than a megabyte. */
const PAGES_AT_A_TIME = 10;

/** Returns the entries of pages in any order, or undefined if the pages have more than `maxBytes`. */
export async function readPagesWithin(
  pages: Collection<StepPageDocument>,
  ids: readonly string[],
  { maxBytes = Number.POSITIVE_INFINITY, projection = {} }: PageLimits,
): Promise<StepEntry[] | undefined> {
  const all: StepEntry[] = [];
  let bytes = 0;
  if (ids.length === 0) return all;
  const options = { projection, batchSize: PAGES_AT_A_TIME, ...byId };
  for await (const { entries } of pages.find({ _id: { $in: [...ids] } }, options)) {
    bytes += bsonSize({ entries });
    if (bytes > maxBytes) return undefined;
    all.push(...entries);
  }
  return all;
}

/** Returns the entries of pages in any order. */
export async function readPages(
  pages: Collection<StepPageDocument>,
  ids: readonly string[] = [],
): Promise<StepEntry[]> {
  return (await readPagesWithin(pages, ids, {})) ?? [];
}

/** Maximum number of pages that one sweep looks at. */
const MAX_SWEPT = 500;

/**
 * Removes pages that no job points to: their job is gone, it has begun another run, or a worker that had lost its lease
 * made them. Looks at each page once a day. Returns how many it removed.
 */
export async function sweepPages(
  jobs: Collection<JobDocument>,
  pages: Collection<StepPageDocument>,
): Promise<number> {
  // A day more or less does not matter, so this process's clock may say what is due.
  const due = await pages
    .find(
      { ...stepPagesCollection.ours, checkAt: { $lte: new Date() } },
      { projection: { jobId: 1 }, hint: CHECK },
    )
    .limit(MAX_SWEPT)
    .toArray();
  if (due.length === 0) return 0;
  const jobIds = [...new Set(due.map(({ jobId }) => jobId))];
  const owners = await jobs
    .find({ _id: { $in: jobIds } }, { projection: { 'stepLog.pages': 1 }, ...byId })
    .toArray();
  const pointedTo = new Set(owners.flatMap(({ stepLog }) => stepLog?.pages ?? []));
  const left = due.filter(({ _id }) => !pointedTo.has(_id)).map(({ _id }) => _id);
  const kept = due.filter(({ _id }) => pointedTo.has(_id)).map(({ _id }) => _id);
  const { deletedCount } = await pages.deleteMany({ ...stepPagesCollection.ours, _id: { $in: left } }, byId);
  const later = { $set: { checkAt: { $add: ['$$NOW', CHECK_AFTER_MS] } } };
  await pages.updateMany({ _id: { $in: kept } }, [later], byId);
  return deletedCount;
}
