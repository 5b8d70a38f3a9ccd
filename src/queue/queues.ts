import { queueSchema } from '../job/job-options.js';
import type { ConnectedCollections } from '../mongo/connected-collections.js';
import type { PageFilter } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { findQueues } from './find-queues.js';
import type { OpenQueues } from './open-queues.js';
import { pauseQueue } from './pause-queue.js';
import type { QueuePage } from './queue-document.js';
import { resumeQueue } from './resume-queue.js';

/** The queues that jobs wait in. */
export class Queues {
  constructor(
    private readonly collections: ConnectedCollections,
    private readonly open: OpenQueues,
    private readonly kick: () => Promise<void>,
  ) {}

  /**
   * A page of the queues that have queued jobs or are paused, by name, with what waits in them, counted up to 10,000; and a
   * cursor for the next. However many queues there are, a page costs at most 33 commands; mostly two. It may have fewer
   * than `limit`, and a cursor to go on with, when many of its queues have more than 10,000 jobs.
   *
   * @throws ValidationError for a filter that is none, or a cursor that no page gave
   */
  async list(filter?: PageFilter): Promise<QueuePage> {
    return findQueues(await this.collections(), filter);
  }

  /**
   * Pauses a queue, whether there are jobs in it or not: within 5 seconds no worker claims its jobs any more. What runs
   * goes on, jobs can be added, and wait; jobs whose workers crash go back into the queue. One that is paused stays so.
   *
   * @returns since when it is paused
   * @throws ValidationError for what cannot be the name of a queue
   */
  async pause(name: string): Promise<Date> {
    const valid = validateNow(queueSchema, name, 'Name of the queue');
    const since = await pauseQueue((await this.collections()).queues, valid);
    this.open.forget();
    return since;
  }

  /**
   * Ends the pause of a queue: its jobs are claimed again by the next invocation of a worker, or within 5 seconds by one
   * that is under way. One that is not paused stays so.
   *
   * @throws ValidationError for what cannot be the name of a queue
   */
  async resume(name: string): Promise<void> {
    const valid = validateNow(queueSchema, name, 'Name of the queue');
    await resumeQueue((await this.collections()).queues, valid);
    this.open.forget();
    await this.kick();
  }
}
