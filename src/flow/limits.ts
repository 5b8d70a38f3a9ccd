import * as z from 'zod';
import { ConflictError } from '../errors.js';
import { jobNameOfBreaker } from '../job/breaker-rules.js';
import { isOrder, limitKeySchema, MAX_SLOTS, orderKeySchema } from '../job/flow-rules.js';
import { type QueuedJob, someJob } from '../job/queued-job.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byId, byIndex } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import { namePageSchema, type PageFilter, toCursorText } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';
import { findAllOpen } from './breaker-statements.js';
import type { Breakers } from './breakers.js';
import { changeSetting, type SettingChange } from './change-setting.js';
import { describeLimits, type Limit } from './describe-limits.js';
import { findFullest } from './find-fullest.js';
import { findHolders, type LimitHolder } from './find-holders.js';
import { type FlowCollections, type LimitDocument, settingIndex } from './limit-document.js';
import type { LimitSettings } from './limit-settings.js';
import { findHeads } from './line-statements.js';
import type { Lines } from './lines.js';
import { skipFailed } from './skip-failed.js';

export interface LimitPage {
  readonly limits: Limit[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/** Selects a page of limits. */
export interface LimitsFilter extends PageFilter {
  /**
   * Default: `key`. `fullest` gives one page. It has the limits that most jobs wait for, and the limits that a person has
   * set.
   */
  readonly order?: 'key' | 'fullest' | undefined;
}

/** A limit, the jobs that hold its places, and those that wait. */
export interface LimitDetails extends Limit {
  /** The jobs that hold a place, at most 1000. A job that waits for a worker may hold a place as well. */
  readonly holders: readonly LimitHolder[];
  /** The first 100 jobs in line. */
  readonly line: readonly JobInLine[];
}

/** A job that waits for a place. */
export type JobInLine = Pick<LimitHolder, 'id' | 'jobName' | 'queue'>;

/** How many jobs in line `get` returns. */
const SHOWN_IN_LINE = 100;

/** Settings that a person has made for a limit. */
export interface LimitState {
  readonly key: string;
  /** Number of places, which wins over the code. Null if none was set. */
  readonly max: number | null;
  /** Moment since which no job of the limit starts. Null if it is not paused. */
  readonly paused: Date | null;
}

/** Settings of a limit. */
export interface LimitChanges {
  /** How many jobs run at a time, 1 to 1000, whatever the code says. Null takes it back. */
  readonly max: number | null;
}

const filterSchema = namePageSchema
  .extend({ order: z.enum(['key', 'fullest']).default('key') })
  .refine(({ order, cursor }) => order === 'key' || cursor === undefined, {
    path: ['cursor'],
    message: 'expected none: the fullest limits come in one page',
  }) satisfies z.ZodType<unknown, LimitsFilter>;

/** Keys of limits of any kind. The key of a unique key's limit has the name of its job before it, so it is long. */
const anyKeySchema = storableText.min(1).max(700);

/** A valid number of places, or null. */
export const maxSchema = z.int().min(1).max(MAX_SLOTS).nullable();

const settableSchema = limitKeySchema.refine(
  (key) => !isOrder(key),
  'expected no strict order: in an order, one job runs at a time',
);

const setSchema = z.object({ key: settableSchema, changes: z.strictObject({ max: maxSchema }) });

/** The limits on how many jobs run at a time, and start in a period. */
export class Limits {
  constructor(
    private readonly collections: Connected<FlowCollections>,
    private readonly settings: LimitSettings,
    private readonly lines: Lines,
    private readonly breakers: Breakers,
    private readonly tell: (jobs: readonly QueuedJob[]) => Promise<void>,
  ) {}

  /**
   * Returns a page of limits, sorted by key, and a cursor for the next page. Lists the limits that jobs wait for, that were
   * used recently, or that a person has set. A limit is listed for a minute or two after its last job waited. A page costs
   * a command per 50 limits and two more.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async list(filter: LimitsFilter = {}): Promise<LimitPage> {
    const { limit, cursor = '', order } = validateNow(filterSchema, filter, 'Filter of limits');
    const { jobs, limits } = await this.collections();
    if (order === 'fullest') return { limits: await this.#fullest(limit), cursor: undefined };
    const options = { sort: { _id: 1 }, limit: limit + 1, batchSize: limit + 2, ...byId } as const;
    const found = await limits.find({ _id: { $gt: cursor } }, options).toArray();
    const shown = found.slice(0, limit);
    const last = found.length > limit ? shown.at(-1) : undefined;
    return { limits: await describeLimits(jobs, shown), cursor: last && toCursorText(last._id) };
  }

  /**
   * Returns a limit, the jobs that hold its places, and the first jobs in its line. The limit need not be in use. Costs
   * five commands.
   *
   * @throws ValidationError for an invalid key
   * @example
   * const { taken, limit, holders } = await processor.limits.get('import=acme');
   */
  async get(key: string): Promise<LimitDetails> {
    const _id = validateNow(anyKeySchema, key, 'Key of the limit');
    const { jobs, limits } = await this.collections();
    const document = (await limits.findOne({ _id }, byId)) ?? { _id };
    const [[described], { holders, limit }, { heads }] = await Promise.all([
      describeLimits(jobs, [document]),
      findHolders(jobs, _id),
      findHeads({ jobs, limits }, [_id], SHOWN_IN_LINE),
    ]);
    if (!described) throw new Error(`Limit '${key}' was not described.`);
    const line = heads.map(({ _id: id, jobName, queue }) => ({ id, jobName, queue }));
    return { ...described, limit: described.limit ?? limit, holders, line };
  }

  /**
   * Sets how many jobs run at a time under a limit, such as `import=acme`, whether or not jobs use it. The number wins over
   * the code, even if it is larger. Null takes it back. If there are more places now, waiting jobs get them at once. If
   * there are fewer, running jobs go on, and none starts until fewer run. Other processes notice within 5 seconds.
   *
   * @throws ValidationError for an invalid number, or a key that no limit of this kind can have
   * @example
   * await processor.limits.set('import=acme', { max: 5 });
   */
  async set(key: string, changes: LimitChanges): Promise<LimitState> {
    const valid = validateNow(setSchema, { key, changes }, 'The call of limits.set');
    return this.#change(valid.key, valid.changes);
  }

  /**
   * Lets no job of a limit start until `resume`. Running jobs go on. Other processes notice within 5 seconds.
   *
   * @throws ValidationError for a key that no limit of this kind can have
   */
  async pause(key: string): Promise<LimitState> {
    return this.#change(validateNow(limitKeySchema, key, 'Key of the limit'), { isPaused: true });
  }

  /**
   * Ends the pause of a limit. Waiting jobs get its places at once. A limit that is not paused is left as it is. The key
   * `breaker NAME` closes the circuit breaker of a kind of jobs.
   *
   * @throws ValidationError for a key that no limit of this kind can have
   */
  async resume(key: string): Promise<LimitState> {
    const jobName = jobNameOfBreaker(String(key));
    if (jobName === undefined)
      return this.#change(validateNow(limitKeySchema, key, 'Key of the limit'), { isPaused: false });
    await this.collections();
    await this.breakers.close(jobName);
    await this.tell([someJob]);
    return { key, max: null, paused: null };
  }

  /**
   * Lets a strict order go on without the failed job that stops it, such as `order events=acme`. The job stays in
   * `error`. If it is retried later, it goes to the end of the order.
   *
   * @returns the job's id
   * @throws ValidationError for a key that no strict order can have, or ConflictError if no failed job stops it
   */
  async skip(key: string): Promise<string> {
    const order = validateNow(orderKeySchema, key, 'Key of the limit');
    const { jobs } = await this.collections();
    const skipped = await skipFailed(jobs, order);
    if (skipped === undefined) throw new ConflictError(key, `No failed job stops '${key}'.`);
    await this.tell(await this.lines.unblock([order]));
    return skipped;
  }

  async #fullest(limit: number): Promise<Limit[]> {
    const { jobs, limits } = await this.collections();
    const keys = await findFullest(jobs, limit);
    const [open, found, set] = await Promise.all([
      findAllOpen(limits, limit),
      limits.find({ _id: { $in: keys } }, { batchSize: limit + 1, ...byId }).toArray(),
      byIndex(limits, settingIndex, (hint) =>
        limits.find({ set: anyMoment }, { limit, batchSize: limit + 1, ...hint }).toArray(),
      ),
    ]);
    const byKey = new Map<string, LimitDocument>(keys.map((_id) => [_id, { _id }]));
    for (const document of [...found, ...set, ...open]) byKey.set(document._id, document);
    const described = await describeLimits(jobs, [...byKey.values()].slice(0, limit));
    return described.sort((one, other) => other.waiting.count - one.waiting.count);
  }

  async #change(key: string, change: SettingChange): Promise<LimitState> {
    const { limits } = await this.collections();
    const { max = null, paused = null } = await changeSetting(limits, key, change);
    this.settings.forget();
    await this.tell(await this.lines.unblock([key]));
    return { key, max, paused };
  }
}
