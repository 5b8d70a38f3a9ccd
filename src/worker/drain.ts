import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Collection } from 'mongodb';
import { type ClaimFilter, claimJobs, countDueJobs } from '../job/claim-jobs.js';
import type { JobFactory } from '../job/define-job.js';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';
import { type Logger, withFields } from '../log.js';
import type { RemoteProcessor } from '../processor.js';
import { Heartbeat } from './heartbeat.js';
import { withJobRejections } from './job-rejections.js';
import { progressReporter } from './progress-reporter.js';
import type { RecentDurations } from './recent-durations.js';
import { RunningAttempt } from './running-attempt.js';
import { SettleQueue } from './settle-queue.js';
import { Wakeup } from './wakeup.js';

/** Beyond this the exact number of waiting jobs tells a summary nothing more. */
const MAX_REMAINING_COUNTED = 1000;

/** What a drain works with: resolved, the same for every invocation. */
export interface Worker {
  readonly jobs: Collection<JobDocument>;
  readonly processor: RemoteProcessor;
  readonly factory: (jobName: string) => JobFactory | undefined;
  readonly claimFilter: () => ClaimFilter;
  /** Of the processor: begins the worker's name in leases. */
  readonly name: string;
  readonly leaseMs: number;
  readonly durations: RecentDurations;
  readonly log: Logger;
}

export interface DrainLimits {
  /** How many jobs run at a time. */
  readonly maxThreads: number;
  /** Claims at most this many jobs in all. */
  readonly maxJobs: number;
  /** From then on nothing is claimed, and what still runs is told to stop. */
  readonly stop: AbortSignal;
  /** When `stop` will fire, in milliseconds since the epoch; infinity when nobody knows. */
  readonly stopAt: number;
  /** How long what runs has, once told to stop, before it is given back as it is. */
  readonly graceMs: number;
  /** While jobs run and slots are free, look for new jobs this often. Never when absent. */
  readonly pollMs?: number;
  /** Claims no more once an attempt was abandoned: for a process that should end soon. */
  readonly stopWhenAbandoned?: boolean;
}

/** What one invocation did. */
export interface DrainSummary {
  claimed: number;
  completed: number;
  /** Failed, and queued for another attempt. */
  retried: number;
  errors: number;
  cancelled: number;
  /** Put off by the job itself. */
  snoozed: number;
  /** Unfinished when the invocation had to stop, and queued again. */
  givenBack: number;
  /** Ended after their lease was lost: changed nothing. */
  stale: number;
  /** Settled or given back while their function went on; it may still go on, and the process should end. */
  abandoned: number;
  /** Due jobs still waiting when the invocation had to stop; counted up to 1000. */
  remaining: number;
}

/**
 * Claims jobs, runs them `maxThreads` at a time, settles each as it ends, until no job is due or it must stop.
 * One claim fills all free slots, and a slow job never holds up the other slots.
 *
 * Told to stop, it claims no more, fires the signal of what runs, waits `graceMs`, and gives back what is not
 * finished. It returns only when nothing is left in its hands.
 */
export async function drain(worker: Worker, limits: DrainLimits): Promise<DrainSummary> {
  return withJobRejections(() => new Invocation(worker, limits).run());
}

/** A name for one invocation, that tells where it ran: jobs whose leases have the same one were lost together. */
export function workerName(processorName: string): string {
  return `${processorName}-worker ${hostname()} ${process.pid} ${randomBytes(4).toString('hex')}`;
}

class Invocation {
  readonly #name: string;
  /** Each of its events tells who it is. */
  readonly #log: Logger;
  readonly #running = new Set<RunningAttempt>();
  readonly #heartbeat: Heartbeat;
  readonly #settleQueue: SettleQueue;
  /** An attempt was settled, the invocation must stop, or it is time to look for new jobs. */
  readonly #somethingHappened = new Wakeup();
  /** Fires when what runs has had its time to end. */
  readonly #graceOver = new AbortController();
  #grace: NodeJS.Timeout | undefined;
  /** Resolves when the grace is over: nothing is waited for any longer. */
  readonly #cutOff = new Promise<undefined>((resolve) => {
    this.#graceOver.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  /** The last claim left out jobs that would not have fitted. */
  #leftOut = false;
  readonly #summary: DrainSummary = {
    claimed: 0,
    completed: 0,
    retried: 0,
    errors: 0,
    cancelled: 0,
    snoozed: 0,
    givenBack: 0,
    stale: 0,
    abandoned: 0,
    remaining: 0,
  };

  constructor(
    private readonly worker: Worker,
    private readonly limits: DrainLimits,
  ) {
    const { name, jobs, leaseMs, log } = worker;
    this.#name = workerName(name);
    this.#log = withFields(log, { worker: this.#name });
    this.#heartbeat = new Heartbeat(jobs, leaseMs, this.#log, (blockedMs) => this.#tellBlocked(blockedMs));
    this.#settleQueue = new SettleQueue(jobs, leaseMs);
  }

  async run(): Promise<DrainSummary> {
    const { stop, pollMs } = this.limits;
    const poll = pollMs === undefined ? undefined : setInterval(this.#somethingHappened.wake, pollMs);
    stop.addEventListener('abort', this.#tellToStop);
    try {
      await this.#work();
    } finally {
      this.#tellToStop();
      await this.#allEnded();
      stop.removeEventListener('abort', this.#tellToStop);
      clearInterval(poll);
      clearTimeout(this.#grace);
    }
    if (stop.aborted || this.#leftOut || this.#summary.abandoned > 0) {
      this.#summary.remaining = await this.#countRemaining();
    }
    return this.#summary;
  }

  async #work(): Promise<void> {
    while (!this.limits.stop.aborted) {
      const wasIdle = this.#running.size === 0;
      const asked = performance.now();
      const claimed = await this.#claim();
      for (const job of claimed) this.#begin(job, asked);
      // Only an idle worker learns that nothing is left: a busy one passes over a job that must run alone, and what it
      // was busy with may have ended while it looked.
      if (wasIdle && claimed.length === 0) return;
      if (this.#running.size > 0) await this.#somethingHappened.wait();
    }
  }

  async #claim(): Promise<ClaimedJob[]> {
    const { jobs, leaseMs } = this.worker;
    const free = this.#freeSlots();
    if (free <= 0) return [];
    const lease = { token: randomUUID(), worker: this.#name, leaseMs };
    const claim = claimJobs(jobs, this.#fitting(), lease, free, this.#running.size === 0);
    try {
      const claimed = await Promise.race([claim, this.#cutOff]);
      if (claimed === undefined) {
        this.#log.warn('A claim did not return before the invocation had to end');
        void claim.then((late) => this.#giveBackLate(late)).catch(() => {});
        return [];
      }
      this.#summary.claimed += claimed.length;
      return claimed;
    } catch (error) {
      if (this.#running.size === 0) throw error;
      this.#log.warn('A claim failed, and is tried again when a job ends', { error: String(error) });
      return [];
    }
  }

  /** Nobody waits for these any more: if this fails too, they are recovered once their leases have expired. */
  async #giveBackLate(late: readonly ClaimedJob[]): Promise<void> {
    const outcome: Outcome = { kind: 'givenBack', atDeadline: false };
    await Promise.all(late.map(({ id, token }) => this.#settleQueue.settle({ id, token, outcome })));
  }

  #freeSlots(): number {
    const { maxThreads, maxJobs, stopWhenAbandoned } = this.limits;
    const mustNotClaim =
      this.#heartbeat.isLate ||
      (stopWhenAbandoned && this.#summary.abandoned > 0) ||
      [...this.#running].some(({ job }) => job.runAlone);
    return mustNotClaim ? 0 : Math.min(maxThreads - this.#running.size, maxJobs - this.#summary.claimed);
  }

  /**
   * The claim's filter, without the names of jobs that take longer than there is time. The first claim of an
   * invocation takes any: a job that does not fit there fits nowhere.
   */
  #fitting(): ClaimFilter {
    const { claimFilter, durations, factory } = this.worker;
    const filter = claimFilter();
    if (this.#summary.claimed === 0) return filter;
    const leftMs = this.limits.stopAt - Date.now();
    const jobNames = filter.jobNames.filter((name) => durations.expected(name, factory(name)) <= leftMs);
    this.#leftOut = jobNames.length < filter.jobNames.length;
    return { ...filter, jobNames };
  }

  /**
   * @param asked when the claim was asked for: a lease after that, another worker may have the job. The claim's reply
   *   may come so late, this process may have been frozen, or the function of another job may have blocked it.
   */
  #begin(job: ClaimedJob, asked: number): void {
    const { jobs, processor, leaseMs, factory: factoryOf } = this.worker;
    const factory = factoryOf(job.jobName);
    if (!factory) throw new Error(`A claim took a job without code here: '${job.jobName}'.`);
    const attempt = new RunningAttempt(job, factory, {
      log: this.#log,
      context: {
        input: job.input,
        jobId: job.id,
        attempt: job.retryCounter,
        token: job.token,
        processor,
        progress: progressReporter(jobs, job, this.#log),
      },
      isLeased: () => performance.now() - asked < leaseMs,
      whenStopped: () => this.#givenBack(),
      onEnd: (ended, outcome) => void this.#settle(ended, outcome),
    });
    this.#running.add(attempt);
    this.#heartbeat.hold(job, (why) => attempt.abort(why));
    // Told to stop while the claim was under way: nothing begins.
    if (this.limits.stop.aborted) attempt.decline({ kind: 'givenBack', atDeadline: false });
    else attempt.begin();
  }

  /** At its deadline an invocation stops by itself; before, because somebody asked. */
  #givenBack(): Outcome {
    return { kind: 'givenBack', atDeadline: Date.now() >= this.limits.stopAt };
  }

  /** Settles the attempt; its slot is free once that is written. */
  async #settle(attempt: RunningAttempt, outcome: Outcome): Promise<void> {
    const { id, token, jobName } = attempt.job;
    if (attempt.isAbandoned) this.#summary.abandoned += 1;
    else this.worker.durations.add(jobName, attempt.durationMs);
    try {
      this.#count(attempt, outcome, await this.#settleQueue.settle({ id, token, outcome }));
    } catch (error) {
      const message = 'An outcome could not be written: the job is recovered once its lease expires';
      this.#log.error(message, { ...attempt.describe(), error: String(error) });
    }
    this.#heartbeat.release(attempt.job);
    this.#running.delete(attempt);
    this.#somethingHappened.wake();
  }

  #count(attempt: RunningAttempt, outcome: Outcome, settledAs: SettledAs): void {
    const key = summaryKey(outcome, settledAs);
    this.#summary[key] += 1;
    const error = outcome.kind === 'failed' ? { error: outcome.failure.message } : {};
    this.#log.info('Attempt ended', { ...attempt.describe(), outcome: key, ...error });
  }

  /**
   * No claim any more: tells what runs, and after the grace gives back what is not finished. From a listener, so that
   * not even a claim that hangs holds it up.
   */
  readonly #tellToStop = (): void => {
    for (const attempt of this.#running) attempt.abort('stopping');
    this.#grace ??= setTimeout(() => {
      this.#graceOver.abort();
      for (const attempt of this.#running) attempt.abandon(this.#givenBack());
    }, this.limits.graceMs);
    this.#somethingHappened.wake();
  };

  async #allEnded(): Promise<void> {
    while (this.#running.size > 0) await this.#somethingHappened.wait();
  }

  /** What waits is worth knowing, but not worth failing for after the work is done. */
  async #countRemaining(): Promise<number> {
    const { jobs, claimFilter } = this.worker;
    try {
      return await countDueJobs(jobs, claimFilter(), MAX_REMAINING_COUNTED);
    } catch (error) {
      this.#log.warn('What remains could not be counted', { error: String(error) });
      return 0;
    }
  }

  #tellBlocked(blockedMs: number): void {
    const jobNames = [...new Set([...this.#running].map(({ job }) => job.jobName))];
    const message =
      'The event loop was blocked, and heartbeats with it: work that keeps the CPU busy belongs in a subprocess job';
    this.#log.warn(message, { blockedMs: Math.round(blockedMs), jobNames });
  }
}

/** Under which name of the summary an attempt is counted. */
function summaryKey(
  outcome: Outcome,
  settledAs: SettledAs,
): Exclude<keyof DrainSummary, 'claimed' | 'abandoned' | 'remaining'> {
  switch (settledAs) {
    case 'completed':
    case 'cancelled':
    case 'stale':
      return settledAs;
    case 'error':
      return 'errors';
    case 'queued':
    case 'processing': // Queued by this outcome, and claimed again before the status was read back.
      return outcome.kind === 'givenBack' || outcome.kind === 'snoozed' ? outcome.kind : 'retried';
  }
}
