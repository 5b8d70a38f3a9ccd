import { Backoff } from './backoff.js';
import type { Events } from './events.js';
import type { QueuedJob } from './job/queued-job.js';
import type { ClaimFilter } from './job/queued-jobs.js';
import type { Logger } from './log.js';
import { withinTime } from './mongo/within-time.js';

/** Jobs that were queued, as they concern those who run them. */
export interface JobsReady {
  /** How many can run now. */
  readonly jobs: number;
  /** In how many milliseconds others will be due: each at most 15 minutes ahead, in any order. */
  readonly dueInMs: readonly number[];
}

/**
 * Asks for workers. It is awaited, for 3 seconds at most, for on Lambda nothing goes on after the answer. It may fail and
 * be lost: jobs are found all the same by the worker's next minute. After a failure it is not called for a second, then for
 * two, and so on up to half a minute.
 */
export type Kick = (ready: JobsReady) => Promise<void>;

/** Looks for jobs now. Returns how many of these it takes. */
export type Taker = (jobs: readonly QueuedJob[]) => number;

/**
 * As far ahead as a message of SQS can be put off, with a second to spare. What is due later is asked for by the scheduler,
 * in time.
 */
export const MAX_AHEAD_MS = 15 * 60_000 - 1_000;

/**
 * Whoever adds a job waits for the kick, unless its patience is over before. After a cold start it first loads the AWS SDK,
 * which takes most of a second there.
 */
const MAX_WAIT_MS = 3_000;

/**
 * The one signal that work is there, and what makes the event `jobsReady`. It wakes the workers of this process and, for
 * what they have no room for, asks for others by the kick.
 */
export class ReadySignal {
  readonly #takers = new Set<Taker>();
  readonly #backoff = new Backoff();

  constructor(
    private readonly kick: Kick | undefined,
    private readonly events: Events,
    private readonly log: Logger,
  ) {}

  /** Whether somebody elsewhere is told of jobs. */
  get isHeard(): boolean {
    return this.kick !== undefined;
  }

  /** Returns what ends it. */
  listen(taker: Taker): () => void {
    this.#takers.add(taker);
    return () => this.#takers.delete(taker);
  }

  /**
   * To be awaited once the write that queued the jobs is done. It never rejects.
   *
   * @param giveUpAt when nobody waits for it any more, by `performance.now()`; the kick goes on. Default: 3 s from now
   */
  async tell(jobs: readonly QueuedJob[], giveUpAt = Number.POSITIVE_INFINITY): Promise<void> {
    if (jobs.length > 0 && this.events.isHeard('jobsReady')) this.events.tell('jobsReady', { jobs });
    const due = jobs.filter((job) => dueInMs(job) <= 0);
    const taken = due.length > 0 ? [...this.#takers].map((take) => take(due)) : [];
    const left = due.length - taken.reduce((sum, count) => sum + count, 0);
    const later = jobs.map(dueInMs).filter((ms) => ms > 0 && ms <= MAX_AHEAD_MS);
    if (left > 0 || later.length > 0)
      await waitUntil(giveUpAt, this.#kick({ jobs: Math.max(0, left), dueInMs: later }));
  }

  async #kick(ready: JobsReady): Promise<void> {
    await this.#backoff.run(
      () => {
        // The promise also catches what a function throws that is not async.
        const kicked = new Promise<void>((resolve) => resolve(this.kick?.(ready)));
        return withinTime(MAX_WAIT_MS, kicked, 'The kick');
      },
      (error, pauseMs) =>
        this.log.warn('The kick failed: jobs wait for the next minute', { error: String(error), pauseMs }),
    );
  }
}

/** What is waited for never rejects. */
async function waitUntil(giveUpAt: number, done: Promise<void>): Promise<void> {
  const leftMs = giveUpAt - performance.now();
  if (leftMs < MAX_WAIT_MS) await withinTime(Math.max(0, leftMs), done).catch(() => {});
  else await done;
}

/** By this machine's clock where it is a moment: good enough to tell when to look. */
function dueInMs({ runAt }: QueuedJob): number {
  return runAt instanceof Date ? runAt.getTime() - Date.now() : runAt;
}

/** How many of these jobs a claim with this filter would take. Of what is not known, none. */
export function countTakeable(jobs: readonly QueuedJob[], { jobNames, queues }: ClaimFilter): number {
  const isTaken = ({ jobName, queue }: QueuedJob) =>
    jobName !== undefined &&
    jobNames.includes(jobName) &&
    (queues === undefined || (queue !== undefined && queues.includes(queue)));
  return jobs.filter(isTaken).length;
}
