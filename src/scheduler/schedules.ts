import type { Db } from 'mongodb';
import * as z from 'zod';
import { type CallerOptions, callerOptionsSchema } from '../access/caller.js';
import { addJobDataSchema } from '../job/job-options.js';
import type { JobRegistry } from '../job/registry.js';
import type { ConnectedCollections } from '../mongo/connected-collections.js';
import { validateNow } from '../validate.js';
import type { SchedulerItem } from './item.js';
import type { SchedulerPage, SchedulersFilter } from './list-items.js';
import { scheduling } from './load-operations.js';
import type { Preview } from './preview.js';
import type { SchedulerOptions } from './scheduler-options.js';

/** Of `schedules.runNow`. */
export interface RunNowOptions extends CallerOptions {
  /** The id that the job gets; when there is a job with this id already, nothing is done. Default: a new one. */
  readonly jobId?: string | undefined;
}

/** Scheduler items as many, and what they will do. One item is added, read and changed by the processor itself. */
export class Schedules {
  constructor(
    private readonly db: Db,
    private readonly collections: ConnectedCollections,
    private readonly registry: JobRegistry,
    private readonly kick: () => Promise<void>,
  ) {}

  /**
   * A page of the scheduler items, in the order of their ids, and a cursor for the next. It has at most 5 MB as it is sent
   * as JSON: of items with large inputs it has fewer than `limit`.
   *
   * @throws ValidationError for a filter that is not a `SchedulersFilter`, or a cursor that no page gave
   */
  async list(filter?: SchedulersFilter): Promise<SchedulerPage> {
    const { listItems } = await scheduling();
    return listItems((await this.collections()).scheduler, filter);
  }

  /**
   * The active scheduler items that are due next, the soonest first, without their inputs.
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
   * The next occurrences of a scheduler item, also those whose jobs were made ahead, or of one by options that is not
   * added; of one that is not active, as if it were activated now. Whether they will overlap is not known.
   *
   * @param count at most 1000, default 10; there may be fewer
   * @throws NotFoundError, or ValidationError, also for options by which an item would never be due; whether they name a
   *   known job, and its input, does not matter
   */
  async preview(scheduler: string | SchedulerOptions, count = 10): Promise<Preview[]> {
    const { preview } = await scheduling();
    const valid = validateNow(upToThousand, count, 'Count of schedules.preview');
    return preview(this.db, await this.collections(), scheduler, valid);
  }

  /**
   * Adds a job as the scheduler item makes them, at once and beside its occurrences; whether it is active does not
   * matter. It counts neither for `maxOccurrences`, nor as the job before for `overlap`. Returns the job's id.
   *
   * @throws NotFoundError, ForbiddenError, or ValidationError for an id that none can have
   */
  async runNow(schedulerId: string, options: RunNowOptions = {}): Promise<string> {
    const valid = validateNow(runNowOptionsSchema, options, 'The call of schedules.runNow');
    const { runNow } = await scheduling();
    const id = await runNow(this.db, await this.collections(), this.registry, schedulerId, valid);
    await this.kick();
    return id;
  }
}

const upToThousand = z.int().min(1).max(1000);

const runNowOptionsSchema = callerOptionsSchema.extend({ jobId: addJobDataSchema.shape.id });
