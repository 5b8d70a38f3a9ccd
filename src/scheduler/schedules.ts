import type { Db } from 'mongodb';
import ms from 'ms';
import * as z from 'zod';
import { type CallerOptions, callerOptionsSchema } from '../access/caller.js';
import { type Duration, durationSchema } from '../duration.js';
import { addJobDataSchema } from '../job/job-options.js';
import type { JobRegistry } from '../job/registry.js';
import type { Connected } from '../mongo/connected.js';
import { validateNow } from '../validate.js';
import type { OccurrenceJob } from './find-history.js';
import type { SchedulerItem } from './item.js';
import type { SchedulerPage, SchedulersFilter } from './list-items.js';
import { scheduling } from './load-operations.js';
import type { Preview } from './preview.js';
import type { SchedulerCollections } from './scheduler-collection.js';
import type { SchedulerOptions } from './scheduler-options.js';
import type { Upcoming } from './upcoming.js';

/** Options of `schedules.runNow`. */
export interface RunNowOptions extends CallerOptions {
  /** Id of the new job. If a job with this id exists, no job is added. Default: a new id. */
  readonly jobId?: string | undefined;
}

/** Lists, previews and runs scheduler items. The processor itself adds, reads and changes single items. */
export class Schedules {
  constructor(
    private readonly db: Db,
    private readonly collections: Connected<SchedulerCollections>,
    private readonly registry: JobRegistry,
    private readonly kick: () => Promise<void>,
  ) {}

  /**
   * Returns a page of the scheduler items, sorted by id, and a cursor for the next page. A page holds at most 5 MB as JSON. So
   * it has fewer items than `limit` if their inputs are large.
   *
   * @throws ValidationError for an invalid filter, or a cursor that no page returned
   */
  async list(filter?: SchedulersFilter): Promise<SchedulerPage> {
    const { listItems } = await scheduling();
    return listItems((await this.collections()).scheduler, filter);
  }

  /**
   * Returns the active scheduler items that are due next, soonest first, without their inputs.
   *
   * @param limit 1 to 1000, default 10
   * @throws ValidationError for another limit
   */
  async next(limit = 10): Promise<SchedulerItem[]> {
    const { findNextItems } = await scheduling();
    const valid = validateNow(upToThousand, limit, 'Limit of schedules.next');
    return findNextItems((await this.collections()).scheduler, valid);
  }

  /**
   * Returns the next occurrences of a scheduler item, including those whose jobs were made ahead. Takes the id of an
   * item, or the options of an item that need not exist. Treats an inactive item as if it were activated now. Ignores
   * `overlap`, whose effect cannot be foreseen.
   *
   * @param count at most 1000, default 10. There may be fewer
   * @throws NotFoundError, or ValidationError, also for options of an item that would never be due. The job and its
   *   input are not checked
   */
  async preview(scheduler: string | SchedulerOptions, count = 10): Promise<Preview[]> {
    const { preview } = await scheduling();
    const valid = validateNow(upToThousand, count, 'Count of schedules.preview');
    return preview(this.db, await this.collections(), scheduler, valid);
  }

  /**
   * Returns the occurrences of the active scheduler items within a time from now, except those that already have a job. Looks
   * at the 100 items that are due next, and at most 1,500 occurrences of each. Ignores `overlap` and `maxOccurrences`.
   *
   * @param within at most 7 days, default 1 day
   * @throws ValidationError for another time
   */
  async upcoming(within: Duration = '1 day'): Promise<Upcoming[]> {
    const { findUpcoming } = await scheduling();
    const valid = validateNow(aheadSchema, within, 'Time of schedules.upcoming');
    return findUpcoming(this.db, (await this.collections()).scheduler, valid);
  }

  /**
   * Returns the jobs that a scheduler item made for its last occurrences, the latest first. Includes jobs that were made ahead.
   * Leaves out removed jobs, and jobs of `runNow`.
   *
   * @param count at most 1000, default 20
   * @throws ValidationError for another count
   */
  async history(schedulerId: string, count = 20): Promise<OccurrenceJob[]> {
    const { findHistory } = await scheduling();
    const valid = validateNow(upToThousand, count, 'Count of schedules.history');
    return findHistory((await this.collections()).jobs, String(schedulerId), valid);
  }

  /**
   * Adds a job of a scheduler item at once, in addition to its occurrences, even if the item is inactive. The job does not
   * count for `maxOccurrences`. It is not the previous job for `overlap`. Returns the job's id.
   *
   * @throws NotFoundError, ForbiddenError, or ValidationError for an invalid id
   */
  async runNow(schedulerId: string, options: RunNowOptions = {}): Promise<string> {
    const valid = validateNow(runNowOptionsSchema, options, 'The call of schedules.runNow');
    const { runNow } = await scheduling();
    const id = await runNow(this.db, await this.collections(), this.registry, schedulerId, valid);
    await this.kick();
    return id;
  }
}

const aheadSchema = durationSchema.refine((time) => time <= ms('7 days'), 'expected at most 7 days');

const upToThousand = z.int().min(1).max(1000);

const runNowOptionsSchema = callerOptionsSchema.extend({ jobId: addJobDataSchema.shape.id });
