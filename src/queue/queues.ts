import { queueSchema } from '../job/job-options.js';
import { byId } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import type { PageFilter } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { findQueues } from './find-queues.js';
import type { OpenQueues } from './open-queues.js';
import { pauseQueue } from './pause-queue.js';
import { isPaused, type QueueCollections, type QueuePage } from './queue-document.js';
import { resumeQueue } from './resume-queue.js';

/** The queues that jobs wait in. */
export class Queues {
  constructor(
    private readonly collections: Connected<QueueCollections>,
    private readonly open: OpenQueues,
    private readonly onResumed: () => Promise<void>,
  ) {}

  /**
   * Returns a page of the queues that have queued jobs or are paused, by name, and a cursor for the next page. Waiting
   * jobs are counted up to 10,000. A page usually costs two or three commands, and at most 33, however many queues there are. If
   * many queues have more than 10,000 jobs, a page may have fewer queues than `limit` and still a cursor.
   *
   * @throws ValidationError for an invalid filter, or a cursor that no page returned
   */
  async list(filter?: PageFilter): Promise<QueuePage> {
    return findQueues(await this.collections(), filter);
  }

  /** Returns since when a queue is paused, or null. @throws ValidationError for an invalid name */
  async pausedSince(name: string): Promise<Date | null> {
    const _id = validateNow(queueSchema, name, 'Name of the queue');
    const found = await (await this.collections()).queues.findOne({ _id, ...isPaused }, byId);
    return found?.paused ?? null;
  }

  /**
   * Pauses a queue, with or without jobs. Workers stop claiming its jobs within 5 seconds. Running jobs go on. New jobs can be
   * added, and wait. Jobs of crashed workers go back into the queue. The pause lasts until `resume`.
   *
   * @returns since when the queue is paused
   * @throws ValidationError for an invalid name
   */
  async pause(name: string): Promise<Date> {
    const valid = validateNow(queueSchema, name, 'Name of the queue');
    const since = await pauseQueue((await this.collections()).queues, valid);
    this.open.forget();
    return since;
  }

  /**
   * Ends the pause of a queue. The next worker invocation claims its jobs again, and a current one does so within 5
   * seconds. A queue that is not paused is left as it is.
   *
   * @throws ValidationError for an invalid name
   */
  async resume(name: string): Promise<void> {
    const valid = validateNow(queueSchema, name, 'Name of the queue');
    const wasPaused = await resumeQueue((await this.collections()).queues, valid);
    this.open.forget();
    if (wasPaused) await this.onResumed();
  }
}
