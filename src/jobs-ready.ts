import { Backoff } from './backoff.js';
import type { Events } from './events.js';
import type { QueuedJob } from './job/queued-job.js';
import type { ClaimFilter } from './job/queued-jobs.js';
import type { Logger } from './log.js';
import { withinTime } from './mongo/within-time.js';

/** Queued jobs, summarized for a kick. */
export interface JobsReady {
  /** Number of jobs that can run now. */
  readonly jobs: number;
  /** Milliseconds until other jobs become due, each at most 15 minutes ahead, in any order. */
  readonly dueInMs: readonly number[];
}

/**
 * Asks for workers. It is awaited for up to 3 s, because on Lambda nothing continues after the response. It may fail or get
 * lost, since the worker's next scheduled run finds all jobs. After a failure it is not called for 1 s. The pause doubles with
 * each further failure, up to 30 s.
 */
export type Kick = (ready: JobsReady) => Promise<void>;

/** Looks for these jobs now. Returns how many of them it takes. */
export type Taker = (jobs: readonly QueuedJob[]) => number;

/** The longest delay of an SQS message, less a second. The scheduler announces jobs that are due later. */
export const MAX_AHEAD_MS = 15 * 60_000 - 1_000;

/**
 * How long a caller that adds jobs awaits the kick, unless its patience ends earlier. After a cold start the kick first
 * loads the AWS SDK, which takes most of a second.
 */
const MAX_WAIT_MS = 3_000;

/**
 * Tells when jobs are ready, and emits the event `jobsReady`. Nothing else signals that. Wakes the workers of this process. If
 * they have no room for all jobs, calls the kick to ask for more workers.
 */
export class ReadySignal {
  readonly #takers = new Set<Taker>();
  readonly #backoff = new Backoff();

  constructor(
    private readonly kick: Kick | undefined,
    private readonly events: Events,
    private readonly log: Logger,
  ) {}

  /** Whether there is a kick that tells workers elsewhere. */
  get isHeard(): boolean {
    return this.kick !== undefined;
  }

  /** Adds a taker. Returns a function that removes it. */
  listen(taker: Taker): () => void {
    this.#takers.add(taker);
    return () => this.#takers.delete(taker);
  }

  /**
   * Tells workers about queued jobs. Call it after the write that queued the jobs. Never rejects.
   *
   * @param giveUpAt when to stop waiting, by `performance.now()`. The kick itself goes on. Default: 3 s from now
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
        // The promise also catches a synchronous throw.
        const kicked = new Promise<void>((resolve) => resolve(this.kick?.(ready)));
        return withinTime(MAX_WAIT_MS, kicked, 'The kick');
      },
      (error, pauseMs) =>
        this.log.warn('The kick failed: jobs wait for the next minute', { error: String(error), pauseMs }),
    );
  }
}

/** Waits for a promise that never rejects, until `giveUpAt`. */
async function waitUntil(giveUpAt: number, done: Promise<void>): Promise<void> {
  const leftMs = giveUpAt - performance.now();
  if (leftMs < MAX_WAIT_MS) await withinTime(Math.max(0, leftMs), done).catch(() => {});
  else await done;
}

/**
 * Returns the milliseconds until a job is due. For a Date, uses this machine's clock, which is exact enough for a hint.
 */
function dueInMs({ runAt }: QueuedJob): number {
  return runAt instanceof Date ? runAt.getTime() - Date.now() : runAt;
}

/** Returns how many of these jobs a claim with this filter would take. Jobs without a known name or queue do not count. */
export function countTakeable(jobs: readonly QueuedJob[], { jobNames, queues }: ClaimFilter): number {
  const isTaken = ({ jobName, queue }: QueuedJob) =>
    jobName !== undefined &&
    jobNames.includes(jobName) &&
    (queues === undefined || (queue !== undefined && queues.includes(queue)));
  return jobs.filter(isTaken).length;
}
