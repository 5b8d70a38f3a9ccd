import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Collection } from 'mongodb';
import { claimJobs, countDueJobs } from '../job/claim-jobs.js';
import { ClaimSpread } from '../job/claim-spread.js';
import type { JobFactory } from '../job/define-job.js';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import { type Outcome, queuedAgain, settlementOf } from '../job/outcome.js';
import type { ClaimFilter } from '../job/queued-jobs.js';
import type { Report } from '../job/report.js';
import { countTakeable, type QueuedJob, type ReadySignal } from '../jobs-ready.js';
import { type Logger, withFields } from '../log.js';
import { NoAnswer, withinTime } from '../mongo/within-time.js';
import type { RemoteProcessor } from '../processor.js';
import type { Tally } from '../statistics/tally.js';
import { ClaimAhead } from './claim-ahead.js';
import { Heartbeat } from './heartbeat.js';
import { HeldAttempts } from './held-attempts.js';
import { withJobRejections } from './job-rejections.js';
import { NextDue } from './next-due.js';
import type { RecentDurations } from './recent-durations.js';
import { Registration } from './registration.js';
import { Reports } from './reports.js';
import { RunningAttempt } from './running-attempt.js';
import { SettleQueue } from './settle-queue.js';
import { AT_DEADLINE, type StopSignal } from './stop-signal.js';
import { type DrainSummary, type Ending, emptySummary, endingOf } from './summary.js';
import { unlessAborted } from './unless-aborted.js';
import { WaitingPlace } from './waiting-place.js';
import { Wakeup } from './wakeup.js';
import type { WorkerDocument } from './worker-document.js';

/** Beyond this the exact number of waiting jobs tells a summary nothing more. */
const MAX_REMAINING_COUNTED = 1000;

/** Counting takes some milliseconds. With the default margin, so much is left once what ran is given back. */
const MAX_COUNT_MS = 2_000;

/** What a drain works with: resolved, the same for every invocation. */
export interface Worker {
  readonly jobs: Collection<JobDocument>;
  readonly workers: Collection<WorkerDocument>;
  readonly processor: RemoteProcessor;
  readonly factory: (jobName: string) => JobFactory | undefined;
  readonly claimFilter: () => ClaimFilter;
  /** The same, less the queues that are paused. @throws what the driver throws */
  readonly claimable: () => Promise<ClaimFilter>;
  /** Of the processor: begins the worker's name in leases. */
  readonly name: string;
  readonly leaseMs: number;
  readonly durations: RecentDurations;
  readonly tally: Tally;
  readonly jobsReady: ReadySignal;
  readonly log: Logger;
}

/**
 * Once `stop` fires, nothing is claimed, and what still runs is told; at `cutOff` it is given back as it is. Nothing is
 * claimed that would not end before `stopAt`.
 */
export interface DrainLimits extends StopSignal {
  /** How many jobs run at a time. */
  readonly maxThreads: number;
  /** Claims at most this many jobs in all. */
  readonly maxJobs: number;
  /** While jobs run and slots are free, look for new jobs this often. Never when absent. */
  readonly pollMs?: number;
  /** Waits for a job that is due within so long; 0 for none. */
  readonly lingerMs: number;
  /** Only one worker of a processor's name waits at a time, and is not counted while it does. Default: each may. */
  readonly lingersAlone?: boolean;
  /** Claims no more once an attempt was abandoned: for a process that should end soon. */
  readonly stopWhenAbandoned?: boolean;
}

/**
 * Claims jobs, runs them `maxThreads` at a time, settles each as it ends, until no job is due or it must stop.
 * One claim fills all free slots, and a slow job never holds up the other slots.
 *
 * Told to stop, it claims no more, fires the signal of what runs, and at the cut-off gives back what is not finished. It
 * returns only when nothing is left in its hands, or the database did not take it back in time.
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
  readonly #held: HeldAttempts;
  readonly #claimAhead: ClaimAhead;
  readonly #spread = new ClaimSpread();
  readonly #reports: Reports;
  readonly #heartbeat: Heartbeat;
  readonly #settleQueue: SettleQueue;
  /** A slot is free, a job is due, heartbeats are in time again, or it is time to look for new jobs. */
  readonly #somethingHappened = new Wakeup();
  readonly #nextDue: NextDue;
  readonly #registration: Registration;
  /** Undefined when each worker may wait. */
  readonly #waitingPlace: WaitingPlace | undefined;
  /** The last claim left out jobs that would not have fitted, or failed. */
  #leftOut = false;
  /** The last claim got all that it asked for, so that more are likely to wait. */
  #moreWait = false;
  /** The last claim took a job that must run alone: more of those, which crashed with it, are likely to follow. */
  #afterLoner = false;
  /** Jobs of which it said that it takes them, since the last claim began. */
  #promised = 0;
  /** What others are told of jobs that were queued again. */
  readonly #tellings = new Set<Promise<void>>();
  readonly #summary = emptySummary();

  constructor(
    private readonly worker: Worker,
    private readonly limits: DrainLimits,
  ) {
    const { name, jobs, leaseMs, log } = worker;
    this.#name = workerName(name);
    this.#log = withFields(log, { worker: this.#name });
    this.#reports = new Reports(jobs, this.#log);
    const tellBlocked = (blockedMs: number) => this.#tellBlocked(blockedMs);
    const { wake } = this.#somethingHappened;
    this.#heartbeat = new Heartbeat(jobs, leaseMs, this.#reports, this.#log, tellBlocked, wake);
    this.#held = new HeldAttempts(limits.maxThreads, (attempts) => {
      this.#claimAhead.forget();
      decline(attempts);
    });
    this.#claimAhead = new ClaimAhead(limits.maxThreads);
    this.#settleQueue = new SettleQueue(jobs, leaseMs, () => this.#held.unwrittenCount, limits.end);
    this.#nextDue = new NextDue(jobs, wake);
    const { queues } = worker.claimFilter();
    const info = {
      _id: this.#name,
      processor: name,
      maxThreads: limits.maxThreads,
      ...(queues && { queues }),
    };
    this.#registration = new Registration(worker.workers, info, leaseMs, this.#log);
    if (limits.lingersAlone) this.#waitingPlace = new WaitingPlace(worker.workers, name, this.#name);
  }

  async run(): Promise<DrainSummary> {
    const { stop, cutOff, end, pollMs } = this.limits;
    // Listeners, so that not even a claim that hangs holds up what runs.
    stop.addEventListener('abort', () => this.#tellToStop());
    cutOff.addEventListener('abort', () => this.#giveBackAll());
    const poll = pollMs === undefined ? undefined : setInterval(this.#somethingHappened.wake, pollMs);
    const stopListening = this.worker.jobsReady.listen((jobs) => this.#take(jobs));
    try {
      await this.#work();
    } finally {
      stopListening();
      clearInterval(poll);
      this.#nextDue.close();
      await this.#reports.close();
      const ending = [this.#registration.end(end.aborted), this.#leaveWaitingPlace()];
      await Promise.all([...ending, ...this.#tellings]);
    }
    if (!end.aborted && (stop.aborted || this.#leftOut || this.#summary.abandoned > 0)) {
      this.#summary.remaining = await this.#countRemaining();
    }
    return this.#summary;
  }

  async #work(): Promise<void> {
    for (;;) {
      // Before the claim, so that no job becomes due unseen between the two.
      const waitsForJob = this.#room() > 0 && (await this.#knowsNextJob());
      const wasIdle = this.#held.isEmpty;
      const free = this.#room();
      const asked = performance.now();
      this.#promised = 0;
      const claimed = free > 0 ? await this.#claim(free) : [];
      if (claimed.some(({ runAlone }) => runAlone)) await this.#allWritten();
      for (const job of claimed) this.#hold(job, asked);
      this.#beginNext();
      // Only an idle worker learns that nothing is left: a busy one passes over a job that must run alone, and what it
      // was busy with may have ended while it looked.
      if (wasIdle && claimed.length === 0 && !waitsForJob && this.#promised === 0) return;
      if (!this.#held.isEmpty || waitsForJob) await this.#somethingHappened.wait();
    }
  }

  /** Jobs were queued by this process: looks for them if there is room, and returns how many it will take. */
  #take(jobs: readonly QueuedJob[]): number {
    const room = this.#room() - this.#promised;
    if (room <= 0) return 0;
    const count = Math.min(room, countTakeable(jobs, this.worker.claimFilter()));
    this.#promised += count;
    this.#somethingHappened.wake();
    return count;
  }

  /**
   * If a job that must run alone killed this process while outcomes of others are to be written, all would be lost
   * together, and it could not be told that it was this one.
   */
  async #allWritten(): Promise<void> {
    while (this.#held.settlingCount > 0) await this.#somethingHappened.wait();
  }

  async #claim(free: number): Promise<ClaimedJob[]> {
    const { jobs, leaseMs } = this.worker;
    const lease = { token: randomUUID(), worker: this.#name, leaseMs };
    const nothingRuns = this.#held.unwrittenCount === 0;
    const claim = this.#fitting().then((filter) =>
      claimJobs(jobs, filter, lease, free, nothingRuns, this.#spread),
    );
    try {
      // What is claimed later than that has lost its lease.
      const claimed = await unlessAborted(this.limits.cutOff, withinTime(leaseMs, claim));
      if (claimed === undefined) {
        void this.#giveBackLate(claim);
        return [];
      }
      this.#summary.claimed += claimed.length;
      this.#moreWait = claimed.length === free;
      this.#afterLoner = claimed.some(({ runAlone }) => runAlone);
      if (claimed.length > 0) this.#registration.begin();
      return claimed;
    } catch (error) {
      if (error instanceof NoAnswer) void this.#giveBackLate(claim);
      // What was done is worth telling; that the database fails, an invocation that did nothing tells.
      if (this.#summary.claimed === 0) throw error;
      this.#log.warn('A claim failed', { error: String(error) });
      this.#leftOut = true;
      return [];
    }
  }

  /** Nobody waits for these any more: if this fails too, they are recovered once their leases have expired. */
  async #giveBackLate(claim: Promise<readonly ClaimedJob[]>): Promise<void> {
    this.#log.warn('A claim did not return in time');
    const outcome = notBegun;
    try {
      const late = await claim;
      await Promise.all(late.map((job) => this.#settleQueue.settle(settlementOf(job, outcome))));
    } catch (error) {
      this.#log.warn('What a late claim took could not be given back', { error: String(error) });
    }
  }

  /** Whether a job will be due that is worth waiting for. */
  async #knowsNextJob(): Promise<boolean> {
    const { lingerMs, stop, stopAt } = this.limits;
    const withinMs = Math.min(lingerMs, stopAt - Date.now());
    if (withinMs <= 0 || stop.aborted) return false;
    try {
      const known = this.#fitting().then((filter) => this.#nextDue.isKnown(filter, withinMs));
      const isKnown = (await unlessAborted(stop, withinTime(this.worker.leaseMs, known))) ?? false;
      return isKnown && (await this.#mayWait());
    } catch (error) {
      this.#log.warn('Whether a job will be due soon could not be found out', { error: String(error) });
      return false;
    }
  }

  /** While something runs, waiting costs nothing. @throws what the driver throws */
  async #mayWait(): Promise<boolean> {
    if (this.#waitingPlace === undefined || !this.#held.isEmpty) return true;
    if (!(await withinTime(this.worker.leaseMs, this.#waitingPlace.take()))) return false;
    await this.#registration.end(false);
    return true;
  }

  /** Left to expire when the database does not answer. */
  async #leaveWaitingPlace(): Promise<void> {
    if (this.limits.end.aborted || this.#waitingPlace === undefined) return;
    await withinTime(MAX_COUNT_MS, this.#waitingPlace.leave()).catch((error: unknown) => {
      this.#log.warn('The place of the worker that waits could not be left', { error: String(error) });
    });
  }

  /**
   * How many jobs to claim now: for the free slots, and some that wait for one.
   *
   * While more are due, the next are claimed beside the write that settles the last; else that write is awaited, so that
   * one claim finds what it queued again, and fills all slots.
   */
  #room(): number {
    const { maxThreads, maxJobs } = this.limits;
    if (this.#mustEnd || this.#heartbeat.isLate || this.#held.runsLoner) return 0;
    const ahead = this.#claimAhead.limit(this.#spread.competes);
    // What waits is enough for now: so the next claim takes more.
    if (this.#held.waitingCount > 0 && this.#held.waitingCount >= ahead / 2) return 0;
    const taken = this.#held.unwrittenCount + (this.#moreWait ? 0 : this.#held.settlingCount);
    const room = Math.min(maxThreads + ahead - taken, maxJobs - this.#summary.claimed);
    return this.#afterLoner ? Math.min(room, 1) : room;
  }

  /** Whether nothing is claimed or begun any more. */
  get #mustEnd(): boolean {
    const { stop, stopWhenAbandoned = false } = this.limits;
    return stop.aborted || (stopWhenAbandoned && this.#summary.abandoned > 0);
  }

  /**
   * The claim's filter, without the names of jobs that take longer than there is time. The first claim of an
   * invocation takes any: a job that does not fit there fits nowhere.
   */
  async #fitting(): Promise<ClaimFilter> {
    const { claimable, durations, factory } = this.worker;
    const filter = await claimable();
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
  #hold(job: ClaimedJob, asked: number): void {
    const { processor, leaseMs, factory: factoryOf } = this.worker;
    const factory = factoryOf(job.jobName);
    if (!factory) throw new Error(`A claim took a job without code here: '${job.jobName}'.`);
    const report = this.#reports.of(job);
    const attempt = new RunningAttempt(job, factory, {
      log: this.#log,
      context: {
        input: job.input,
        jobId: job.id,
        attempt: job.retryCounter,
        token: job.token,
        processor,
        progress: report.progress,
        log: report.log,
      },
      isLeased: () => performance.now() - asked < leaseMs,
      whenStopped: () => this.#givenBack(),
      onEnd: (ended, outcome) => void this.#settle(ended, outcome, this.#reports.end(report)),
    });
    this.#held.add(attempt);
    this.#heartbeat.hold(job, asked, (why) => attempt.abort(why));
  }

  /** Begins what waits, as far as there are slots; gives it back when nothing is begun any more. */
  #beginNext(): void {
    if (this.#mustEnd) {
      decline(this.#held.waiting);
      return;
    }
    for (let next = this.#held.takeSlot(); next; next = this.#held.takeSlot()) {
      this.#claimAhead.began();
      next.begin();
    }
  }

  #givenBack(): Outcome {
    return { kind: 'givenBack', atDeadline: this.limits.stop.reason === AT_DEADLINE };
  }

  /** Settles the attempt. */
  async #settle(attempt: RunningAttempt, outcome: Outcome, report: Report | undefined): Promise<void> {
    const { jobName } = attempt.job;
    if (attempt.isAbandoned) this.#summary.abandoned += 1;
    else if (attempt.durationMs !== undefined) this.worker.durations.add(jobName, attempt.durationMs);
    if (this.#held.end(attempt)) {
      this.#claimAhead.ended();
      this.#beginNext();
    }
    const ending = await this.#write(attempt, outcome, report);
    if (ending === 'retried' || ending === 'snoozed') this.#tellQueued(queuedAgain(attempt.job, outcome));
    this.#summary[ending] += 1;
    this.worker.tally.countAttempt(jobName, ending, attempt.durationMs);
    const error = outcome.kind === 'failed' ? { error: outcome.failure.message } : {};
    this.#log.info('Attempt ended', { ...attempt.describe(), outcome: ending, ...error });
    this.#heartbeat.release(attempt.job);
    this.#held.release(attempt);
    this.#somethingHappened.wake();
  }

  /** Beside the work: who is told may take a while. */
  #tellQueued(jobs: readonly QueuedJob[]): void {
    const telling = this.worker.jobsReady.tell(jobs).finally(() => this.#tellings.delete(telling));
    this.#tellings.add(telling);
  }

  #beginSettling(attempt: RunningAttempt): void {
    this.#held.beginSettling(attempt);
    this.#somethingHappened.wake();
  }

  async #write(attempt: RunningAttempt, outcome: Outcome, report: Report | undefined): Promise<Ending> {
    try {
      const settlement = { ...settlementOf(attempt.job, outcome), ...(report && { report }) };
      const settled = this.#settleQueue.settle(settlement, () => this.#beginSettling(attempt));
      return endingOf(outcome, await settled);
    } catch (error) {
      const message = 'An outcome could not be written: the job is recovered once its lease expires';
      this.#log.error(message, { ...attempt.describe(), error: String(error) });
      return endingOf(outcome, undefined);
    }
  }

  #tellToStop(): void {
    this.#beginNext();
    for (const attempt of this.#held.running) attempt.abort('stopping');
    this.#somethingHappened.wake();
  }

  #giveBackAll(): void {
    for (const attempt of this.#held.running) attempt.abandon(this.#givenBack());
  }

  /** What waits is worth knowing, but not worth failing for after the work is done. */
  async #countRemaining(): Promise<number> {
    const { jobs, claimable } = this.worker;
    try {
      const count = claimable().then((filter) => countDueJobs(jobs, filter, MAX_REMAINING_COUNTED));
      return await withinTime(MAX_COUNT_MS, count);
    } catch (error) {
      this.#log.warn('What remains could not be counted', { error: String(error) });
      return 0;
    }
  }

  #tellBlocked(blockedMs: number): void {
    const jobNames = [...new Set(this.#held.begun.map(({ job }) => job.jobName))];
    const message =
      'The event loop was blocked, and heartbeats with it: work that keeps the CPU busy belongs in a subprocess job';
    this.#log.warn(message, { blockedMs: Math.round(blockedMs), jobNames });
  }
}

const notBegun: Outcome = { kind: 'givenBack', atDeadline: false };

/** Gives back what has not begun. */
function decline(attempts: readonly RunningAttempt[]): void {
  for (const attempt of attempts) attempt.decline(notBegun);
}
