import { randomUUID } from 'node:crypto';
import type { Collection } from 'mongodb';
import { type AbortReason, AttemptAbortedError } from '../errors.js';
import { type ClaimFilter, claimJobs, countDueJobs } from '../job/claim-jobs.js';
import type { JobContext, JobFactory } from '../job/define-job.js';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';
import type { LogFields, Logger } from '../log.js';
import type { RemoteProcessor } from '../processor.js';
import { Heartbeat } from './heartbeat.js';
import { progressReporter } from './progress-reporter.js';
import { runAttempt } from './run-attempt.js';
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
  /** Stands in the leases, so that one can tell who holds, or lost, a job. */
  readonly name: string;
  readonly leaseMs: number;
  readonly log: Logger;
}

export interface DrainLimits {
  /** How many jobs run at a time. */
  readonly maxThreads: number;
  /** Claims at most this many jobs in all. */
  readonly maxJobs: number;
  /** From then on nothing is claimed, and what still runs is told to stop. */
  readonly stop: AbortSignal;
  /** How long what runs has, once told to stop, before it is given back as it is. */
  readonly graceMs: number;
  /** While jobs run and slots are free, look for new jobs this often. Never when absent. */
  readonly pollMs?: number;
}

/** What one invocation did. */
export interface DrainSummary {
  claimed: number;
  completed: number;
  /** Failed, and queued for another attempt. */
  retried: number;
  errors: number;
  cancelled: number;
  /** Unfinished when the invocation had to stop, and queued again. */
  givenBack: number;
  /** Ended after their lease was lost: changed nothing. */
  stale: number;
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
  return new Invocation(worker, limits).run();
}

/** An attempt that is under way, or whose outcome is being written. */
interface Attempt {
  readonly job: ClaimedJob;
  readonly controller: AbortController;
  readonly began: number;
  /** Its outcome is decided: whatever comes later is ignored. */
  ended: boolean;
}

class Invocation {
  readonly #running = new Set<Attempt>();
  readonly #heartbeat: Heartbeat;
  readonly #settleQueue: SettleQueue;
  /** An attempt was settled, the invocation must stop, or it is time to look for new jobs. */
  readonly #somethingHappened = new Wakeup();
  readonly #summary: DrainSummary = {
    claimed: 0,
    completed: 0,
    retried: 0,
    errors: 0,
    cancelled: 0,
    givenBack: 0,
    stale: 0,
    remaining: 0,
  };

  constructor(
    private readonly worker: Worker,
    private readonly limits: DrainLimits,
  ) {
    this.#heartbeat = new Heartbeat(worker.jobs, worker.leaseMs, worker.log);
    this.#settleQueue = new SettleQueue(worker.jobs);
  }

  async run(): Promise<DrainSummary> {
    const { stop, pollMs } = this.limits;
    const { wake } = this.#somethingHappened;
    const poll = pollMs === undefined ? undefined : setInterval(wake, pollMs);
    stop.addEventListener('abort', wake);
    try {
      await this.#work();
      if (stop.aborted) await this.#stop();
    } finally {
      stop.removeEventListener('abort', wake);
      clearInterval(poll);
    }
    return this.#summary;
  }

  async #work(): Promise<void> {
    while (!this.limits.stop.aborted) {
      const claimed = await this.#claim();
      for (const job of claimed) this.#begin(job);
      if (this.#running.size === 0) return;
      await this.#somethingHappened.wait();
    }
  }

  async #claim(): Promise<ClaimedJob[]> {
    const { jobs, name, leaseMs, claimFilter, log } = this.worker;
    const { maxThreads, maxJobs } = this.limits;
    const free = Math.min(maxThreads - this.#running.size, maxJobs - this.#summary.claimed);
    if (free <= 0) return [];
    const lease = { token: randomUUID(), worker: name, leaseMs };
    try {
      const claimed = await claimJobs(jobs, claimFilter(), lease, free);
      this.#summary.claimed += claimed.length;
      return claimed;
    } catch (error) {
      if (this.#running.size === 0) throw error;
      log.warn('A claim failed, and is tried again when a job ends', { error: String(error) });
      return [];
    }
  }

  #begin(job: ClaimedJob): void {
    const attempt: Attempt = {
      job,
      controller: new AbortController(),
      began: performance.now(),
      ended: false,
    };
    this.#running.add(attempt);
    this.#heartbeat.hold(job, (why) => this.#abort(attempt, why));
    const factory = this.worker.factory(job.jobName);
    // Told to stop while the claim was under way, or (never, by the claim's filter) a job without code here.
    if (this.limits.stop.aborted || !factory) void this.#end(attempt, { kind: 'givenBack' });
    else void runAttempt(factory, this.#contextOf(attempt)).then((outcome) => this.#end(attempt, outcome));
  }

  #abort(attempt: Attempt, why: AbortReason): void {
    if (attempt.ended) return; // Its outcome is being written: the lease is not lost, but no longer needed.
    this.worker.log.warn(`A running job is aborted: ${why}`, describe(attempt));
    attempt.controller.abort(new AttemptAbortedError(why));
  }

  #contextOf({ job, controller }: Attempt): JobContext {
    const { jobs, processor, log } = this.worker;
    return {
      input: job.input,
      signal: controller.signal,
      jobId: job.id,
      attempt: job.retryCounter,
      token: job.token,
      processor,
      progress: progressReporter(jobs, job, log),
    };
  }

  /** Settles the attempt; its slot is free once that is written. */
  async #end(attempt: Attempt, outcome: Outcome): Promise<void> {
    if (attempt.ended) return;
    attempt.ended = true;
    const { id, token } = attempt.job;
    try {
      this.#count(attempt, outcome, await this.#settleQueue.settle({ id, token, outcome }));
    } catch (error) {
      const fields = { ...describe(attempt), error: String(error) };
      this.worker.log.error(
        'An outcome could not be written: the job is recovered once its lease expires',
        fields,
      );
    }
    this.#heartbeat.release(attempt.job);
    this.#running.delete(attempt);
    this.#somethingHappened.wake();
  }

  #count(attempt: Attempt, outcome: Outcome, settledAs: SettledAs): void {
    const key = summaryKey(outcome, settledAs);
    this.#summary[key] += 1;
    const error = outcome.kind === 'failed' ? { error: outcome.failure.message } : {};
    this.worker.log.info('Attempt ended', { ...describe(attempt), outcome: key, ...error });
  }

  /** No claim any more: tell what runs, wait, and give back what is not finished. */
  async #stop(): Promise<void> {
    for (const { controller } of this.#running) controller.abort(new AttemptAbortedError('stopping'));
    const grace = setTimeout(() => this.#abandon(), this.limits.graceMs);
    while (this.#running.size > 0) await this.#somethingHappened.wait();
    clearTimeout(grace);
    this.#summary.remaining = await countDueJobs(
      this.worker.jobs,
      this.worker.claimFilter(),
      MAX_REMAINING_COUNTED,
    );
  }

  #abandon(): void {
    for (const attempt of this.#running) {
      if (!attempt.ended) this.worker.log.warn('A job goes on after it was told to stop', describe(attempt));
      void this.#end(attempt, { kind: 'givenBack' });
    }
  }
}

function summaryKey(
  outcome: Outcome,
  settledAs: SettledAs,
): Exclude<keyof DrainSummary, 'claimed' | 'remaining'> {
  switch (settledAs) {
    case 'completed':
    case 'cancelled':
    case 'stale':
      return settledAs;
    case 'error':
      return 'errors';
    case 'queued':
    case 'processing': // Queued by this outcome, and claimed again before the status was read back.
      return outcome.kind === 'givenBack' ? 'givenBack' : 'retried';
  }
}

function describe({ job, began }: Attempt): LogFields {
  return {
    jobId: job.id,
    jobName: job.jobName,
    attempt: job.retryCounter,
    durationMs: Math.round(performance.now() - began),
  };
}
