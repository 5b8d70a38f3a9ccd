import type { Collection } from 'mongodb';
import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';
import { NotFoundError } from '../errors.js';
import { type CappedCount, countUpTo } from '../job/count-jobs.js';
import { byFailure } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { byId, byIndex } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import { momentPlaceSchema, readNewestFirst } from '../newest-first.js';
import { type PageFilter, pageSchema } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';
import { byKindSeen, bySeen, type FailureDocument, isOther } from './failure-document.js';

/** Jobs that are still failing are counted up to this number. */
const MAX_FAILING = 1_000;

/** Groups per page. Each costs a count. */
const MAX_LISTED = 100;

/** Selects groups of failures. */
export interface FailuresFilter extends PageFilter {
  /** Kind of jobs whose groups to list. Default: all. */
  readonly jobName?: string | undefined;
  /** Lists groups that were seen within this time, up to now. Default: all. */
  readonly since?: Duration | undefined;
  /** Whether to leave out `stillFailing`, which costs a count for each group. Default: false. */
  readonly brief?: boolean | undefined;
}

/** A group of failed attempts of one kind of job with the same key. */
export interface FailureInfo {
  /** The key, which jobs in `error` have as `failureKey`. */
  readonly key: string;
  readonly jobName: string;
  /** The message without parts that differ, such as numbers, ids and hosts. */
  readonly message: string;
  /** The last message with the parts that differ, cut to 500 characters. */
  readonly sample: string;
  /** Number of attempts that failed, since the group has been known. */
  readonly count: number;
  /**
   * How many jobs are in `error` with this key now, up to 1,000. Undefined in brief lists, and for the group of failures
   * without room, where it is unknown.
   */
  readonly stillFailing: CappedCount | undefined;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** Number of attempts that failed, by hour, in the last 24 hours. Hours without failures are left out. */
  readonly hours: readonly { readonly at: Date; readonly count: number }[];
}

/** A page of groups of failures. */
export interface FailurePage {
  readonly failures: readonly FailureInfo[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

interface FailureCollections {
  readonly failures: Collection<FailureDocument>;
  readonly jobs: Collection<JobDocument>;
}

/** Starts the operation that retries the jobs of a group. */
interface Retrying<Options, Info> {
  start(
    operation: { readonly action: 'retry'; readonly filter: { readonly failureKey: string } },
    options?: Options,
  ): Promise<Info>;
}

const filterSchema = z.strictObject({
  ...pageSchema(momentPlaceSchema).shape,
  limit: z.int().min(1).max(MAX_LISTED).default(MAX_LISTED),
  jobName: storableText.optional(),
  since: durationSchema.optional(),
  brief: z.boolean().default(false),
});

/**
 * Groups of failed attempts, by kind and cause. Workers write them with the statistics, so they may be a minute late. A group
 * is kept for 30 days.
 */
export class Failures<Options = unknown, Info = unknown> {
  constructor(
    private readonly collections: Connected<FailureCollections>,
    private readonly operations: Retrying<Options, Info>,
  ) {}

  /**
   * Returns a page of groups, the last seen first. Each group costs a count of up to 1,000 index keys. A kind of jobs has at
   * most 100 groups, and one for all other failures. A group that is seen again between two pages may be missed.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async list(filter: FailuresFilter = {}): Promise<FailurePage> {
    const { jobName, since, brief, ...page } = validateNow(filterSchema, filter, 'Filter of failures');
    const { failures } = await this.collections();
    const conditions = {
      ...(jobName !== undefined && { jobName }),
      ...(since !== undefined && { $expr: { $gte: ['$lastSeen', { $subtract: ['$$NOW', since] }] } }),
    };
    const index = jobName === undefined ? bySeen : byKindSeen;
    const { documents, cursor } = await byIndex(failures, index, (hint) =>
      readNewestFirst('lastSeen', page, (after, options) =>
        failures.find({ ...conditions, ...after }, { ...options, ...hint }),
      ),
    );
    return {
      failures: brief
        ? documents.map((one) => describe(one, undefined))
        : await Promise.all(documents.map((one) => this.#describe(one))),
      cursor,
    };
  }

  /** Returns a group. @throws NotFoundError */
  async get(key: string): Promise<FailureInfo> {
    const { failures } = await this.collections();
    const found = await failures.findOne({ _id: String(key) }, byId);
    if (found) return this.#describe(found);
    throw new NotFoundError('failure', String(key));
  }

  /** Returns how many jobs are in `error` with this key now, up to 1,000. Reads only index keys. */
  async countFailing(key: string): Promise<CappedCount> {
    const { jobs } = await this.collections();
    return countUpTo(jobs, byFailure, { failureKey: String(key) }, MAX_FAILING);
  }

  /**
   * Starts an operation that queues again all jobs in `error` with this key. See `operations.start`.
   *
   * @param options as of `operations.start`
   * @throws ValidationError
   */
  async retry(key: string, options?: Options): Promise<Info> {
    return this.operations.start({ action: 'retry', filter: { failureKey: String(key) } }, options);
  }

  async #describe(found: FailureDocument): Promise<FailureInfo> {
    const { _id: key } = found;
    return describe(found, isOther(key) ? undefined : await this.countFailing(key));
  }
}

function describe(
  { _id: key, expireAt: _, ...rest }: FailureDocument,
  stillFailing: CappedCount | undefined,
): FailureInfo {
  return { key, ...rest, stillFailing };
}
