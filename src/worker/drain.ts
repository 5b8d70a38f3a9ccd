import type { AttemptEnded } from '../events.js';
import { countDueJobs } from '../job/count-due-jobs.js';
import type { ClaimedJob } from '../job/job.js';
import { type Outcome, queuedAgain } from '../job/outcome.js';
import type { QueuedJob } from '../job/queued-job.js';
import type { SettledAs } from '../job/settle-jobs.js';
import { withJobRejections } from '../job-rejections.js';
import { countTakeable } from '../jobs-ready.js';
import { type Logger, withFields } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import { Alarm } from './alarm.js';
import { Attempt, type AttemptOwner, type AttemptState } from './attempt.js';
import { AttemptEvents } from './attempt-events.js';
import { Claimer } from './claimer.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Linger } from './linger.js';
import { Pace } from './pace.js';
import { Pool } from './pool.js';
import { AT_DEADLINE } from './stop-signal.js';
import { type DrainSummary, emptySummary } from './summary.js';
import { unlessAborted } from './unless-aborted.js';
import { type DrainLimits, type Worker, workerName } from './worker.js';
import { Writer } from './writer.js';

/** Beyond this the exact number of waiting jobs tells a summary nothing more. */
const MAX_REMAINING_COUNTED = 1000;

/** Counting takes some milliseconds. With the default margin, so much is left once what ran is given back. */
const MAX_COUNT_MS = 2_000;

/**
 * Claims jobs, runs them `maxThreads` at a time, settles each as it ends, until no job is due or it must stop.
 * One claim fills all free slots, and a slow job never holds up the other slots.
 *
 * Told to stop, it claims no more, fires the signal of what runs, and at the cut-off gives back what is not finished. It
 * returns only when nothing is left in its hands, or the database did not take it back in time.
 */
export async function drain(worker: Worker, limits: DrainLimits): Promise<DrainSummary> {
  return withJobRejections(() => new Drain(worker, limits).run());
}

class Drain {
  /** As leases have it. */
  readonly #name: string;
  /** Each of its lines tells who it is. */
  readonly #log: Logger;
  readonly #pace: Pace;
  readonly #pool: Pool;
  readonly #writer: Writer;
  readonly #leases: LeaseKeeper;
  readonly #claimer: Claimer;
  readonly #alarm: Alarm;
  readonly #linger: Linger;
  readonly #events: AttemptEvents;
  readonly #attemptOwner: AttemptOwner;
  /** Jobs are due that are to run alone: nothing is claimed until nothing else is in its hands. */
  #jobsWaitAlone: boolean;
  /** When it looked last for jobs whose workers crashed. */
  #looked = performance.now();
  /** Jobs of which it said that it takes them, since the last claim began. */
  #promised = 0;
  /** What others are told of jobs that were queued again. */
  readonly #tellings = new Set<Promise<void>>();
  /** Its own attempts alone are counted: others of this processor may go on beside it. */
  readonly #summary = emptySummary();

  constructor(
    private readonly worker: Worker,
    private readonly limits: DrainLimits,
  ) {
    const { name, jobs, workers, leaseMs, processor, middlewares } = worker;
    const { maxThreads, pollMs, end } = limits;
    const drainName = workerName(name);
    const log = withFields(worker.log, { worker: drainName });
    this.#name = drainName;
    this.#log = log;
    this.#jobsWaitAlone = limits.runsAlone;
    this.#alarm = new Alarm(jobs, pollMs);
    this.#pace = new Pace(maxThreads);
    this.#pool = new Pool(maxThreads, (attempts) => this.#giveBackLongWaits(attempts));
    const unwritten = () => this.#pool.unwritten;
    this.#writer = new Writer({ jobs, leaseMs, pace: this.#pace, unwritten, end, log });
    const { queues } = worker.claimFilter();
    this.#leases = new LeaseKeeper({
      jobs,
      workers,
      info: { _id: drainName, processor: name, maxThreads, ...(queues && { queues }) },
      leaseMs,
      writer: this.#writer,
      log,
      onBlocked: (blockedMs) => this.#tellBlocked(blockedMs),
      onInTimeAgain: this.#alarm.wake,
    });
    const giveBack = (job: ClaimedJob) => this.#writer.settle(job, { kind: 'givenBack', atDeadline: false });
    this.#claimer = new Claimer(worker, limits, drainName, log, giveBack);
    this.#attemptOwner = {
      log,
      leaseMs,
      processor,
      middlewares,
      whenStopped: () => ({ kind: 'givenBack', atDeadline: limits.stop.reason === AT_DEADLINE }),
      onLost: (lost) => this.#events.lostLease(lost),
      onEnd: (ended, outcome, before) => void this.#ended(ended, outcome, before),
    };
    this.#events = new AttemptEvents(worker.events, drainName);
    this.#linger = new Linger({
      worker,
      limits,
      name: drainName,
      claimer: this.#claimer,
      alarm: this.#alarm,
      log,
      isIdle: () => this.#pool.isEmpty,
      onWait: () => this.#leases.rest(false),
    });
  }

  async run(): Promise<DrainSummary> {
    const { stop, cutOff, end } = this.limits;
    // Listeners, so that not even a claim that hangs holds up what runs.
    stop.addEventListener('abort', () => this.#tellToStop());
    cutOff.addEventListener('abort', () => this.#giveBackAll());
    const stopListening = this.worker.jobsReady.listen((jobs) => this.#promise(jobs));
    const stopCounting = this.worker.events.on('attemptEnded', (ended) => this.#count(ended));
    try {
      await this.#work();
    } finally {
      stopListening();
      stopCounting();
      this.#alarm.close();
      await this.#writer.close();
      const ending = [this.#leases.rest(end.aborted), this.#linger.end()];
      await Promise.all([...ending, ...this.#tellings]);
    }
    this.#summary.claimed = this.#claimer.claimed;
    if (!end.aborted && (stop.aborted || this.#claimer.leftOut || this.#summary.abandoned > 0)) {
      this.#summary.remaining = await this.#countRemaining();
    }
    return this.#summary;
  }

  async #work(): Promise<void> {
    for (;;) {
      this.#lookForLost();
      if (this.#jobsWaitAlone && this.#pool.isEmpty) await this.#runJobsAlone();
      // Before the claim, so that no job becomes due unseen between the two.
      const waitsForJob = this.#room() > 0 && (await this.#linger.knowsNextJob());
      const wasIdle = this.#pool.isEmpty;
      const foundNone = (await this.#claim()) === 0;
      if (wasIdle && foundNone && !waitsForJob && this.#promised === 0) return;
      if (!this.#pool.isEmpty || waitsForJob) await this.#alarm.next();
    }
  }

  /** Claims for the free slots, begins what it got, and returns how many jobs that were. */
  async #claim(): Promise<number> {
    const room = this.#room();
    const askedAt = performance.now();
    this.#promised = 0;
    const jobs = room > 0 ? await this.#claimer.claim(room) : [];
    if (jobs.length > 0) this.#pace.claimTook(performance.now() - askedAt);
    this.#hold(jobs, askedAt);
    return jobs.length;
  }

  /**
   * Runs the jobs one by one that were lost in company. If one of them kills this process, nothing else is lost with it,
   * so it is known that it was this one.
   */
  async #runJobsAlone(): Promise<void> {
    while (!this.#mustEnd && this.#claimer.claimed < this.limits.maxJobs) {
      const askedAt = performance.now();
      const jobs = await this.#claimer.claimAlone();
      if (jobs.length === 0) break;
      this.#hold(jobs, askedAt);
      while (!this.#pool.isEmpty) await this.#alarm.next();
    }
    this.#jobsWaitAlone = false;
  }

  /** A drain that goes on for long looks again each time that a lease has lasted, beside its work. */
  #lookForLost(): void {
    const { leaseMs, lookForLost } = this.worker;
    if (performance.now() - this.#looked < leaseMs || this.#mustEnd) return;
    this.#looked = performance.now();
    const looking = unlessAborted(this.limits.end, lookForLost()).then((jobsWaitAlone = false) => {
      this.#tellings.delete(looking);
      this.#jobsWaitAlone = jobsWaitAlone;
      this.#alarm.wake();
    });
    this.#tellings.add(looking);
  }

  /** Jobs were queued by this process: looks for them if there is room, and returns how many it will take. */
  #promise(jobs: readonly QueuedJob[]): number {
    const room = this.#room() - this.#promised;
    if (room <= 0) return 0;
    const count = Math.min(room, countTakeable(jobs, this.worker.claimFilter()));
    this.#promised += count;
    this.#alarm.wake();
    return count;
  }

  /**
   * How many jobs to claim now: for the free slots, and some that wait for one.
   *
   * While more are due, the next are claimed beside the write that settles the last, and outcomes that wait for it keep none
   * from being claimed, except when they are very many, since it takes long. Else that write is awaited, so that one claim
   * finds what it queued again, and fills all slots.
   */
  #room(): number {
    const { maxThreads, maxJobs } = this.limits;
    if (this.#mustEnd || this.#leases.isLate || this.#jobsWaitAlone) return 0;
    const waiting = this.#pool.waiting.length;
    const ahead = this.#pace.ahead(this.#claimer.share);
    // What waits is enough for now: so the next claim takes more.
    if (waiting > 0 && waiting >= ahead / 2) return 0;
    const { unfinished, ended, writing } = this.#pool;
    const unsettled = this.#claimer.moreWait ? Math.max(0, ended - ahead) : ended + writing;
    return Math.min(maxThreads + ahead - unfinished - unsettled, maxJobs - this.#claimer.claimed);
  }

  /** Whether nothing is claimed or begun any more. */
  get #mustEnd(): boolean {
    const { stop, stopWhenAbandoned = false } = this.limits;
    return stop.aborted || (stopWhenAbandoned && this.#summary.abandoned > 0);
  }

  #hold(jobs: readonly ClaimedJob[], askedAt: number): void {
    const attempts = jobs.map((job) => this.#attemptAt(job, askedAt));
    for (const attempt of attempts) this.#leases.hold(attempt);
    this.#pool.add(attempts);
    this.#beginNext();
  }

  #attemptAt(job: ClaimedJob, askedAt: number): Attempt {
    const factory = this.worker.factory(job.jobName);
    if (!factory) throw new Error(`A claim took a job without code here: '${job.jobName}'.`);
    return new Attempt(job, factory, this.#writer.reportOf(job), askedAt, this.#attemptOwner);
  }

  /** Begins what waits, as far as there are slots; gives it back when nothing is begun any more. */
  #beginNext(): void {
    if (this.#mustEnd) {
      for (const attempt of this.#pool.waiting) attempt.decline();
      return;
    }
    for (let next = this.#pool.takeSlot(); next; next = this.#pool.takeSlot()) {
      this.#pace.began();
      this.#events.started(next);
      next.begin();
    }
  }

  /** Frees the slot for the next one, then settles the attempt. */
  async #ended(attempt: Attempt, outcome: Outcome, before: AttemptState): Promise<void> {
    const { jobName } = attempt.job;
    if (attempt.isAbandoned) this.#summary.abandoned += 1;
    else if (attempt.durationMs !== undefined) this.worker.durations.add(jobName, attempt.durationMs);
    if (before === 'waiting') this.#pool.leaveLine(attempt);
    else {
      this.#pool.freeSlot();
      this.#pace.ended();
      this.#beginNext();
    }
    const settledAs = await this.#settle(attempt, outcome);
    const ending = this.#events.ended(attempt, outcome, settledAs);
    if (ending === 'retried' || ending === 'snoozed') this.#tellQueued(queuedAgain(attempt.job, outcome));
    this.#leases.release(attempt);
    this.#pool.release(attempt);
    this.#alarm.wake();
  }

  #count({ worker, outcome }: AttemptEnded): void {
    if (worker === this.#name) this.#summary[outcome] += 1;
  }

  /** Undefined when it could not be written. */
  async #settle(attempt: Attempt, outcome: Outcome): Promise<SettledAs | undefined> {
    const onWriting = () => {
      this.#pool.beginWriting(attempt);
      this.#alarm.wake();
    };
    try {
      return await this.#writer.settle(attempt.job, outcome, attempt.report, onWriting);
    } catch (error) {
      const message = 'An outcome could not be written: the job is recovered once its lease expires';
      this.#log.error(message, { ...attempt.describe(), error: String(error) });
      return undefined;
    }
  }

  /** Beside the work: who is told may take a while. */
  #tellQueued(jobs: readonly QueuedJob[]): void {
    const telling = this.worker.jobsReady.tell(jobs).finally(() => this.#tellings.delete(telling));
    this.#tellings.add(telling);
  }

  #tellToStop(): void {
    this.#beginNext();
    for (const attempt of this.#pool.begun) attempt.abort('stopping');
    this.#alarm.wake();
  }

  #giveBackAll(): void {
    for (const attempt of this.#pool.begun) attempt.abandon();
  }

  #giveBackLongWaits(attempts: readonly Attempt[]): void {
    this.#pace.forget();
    for (const attempt of attempts) attempt.decline();
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
    const jobNames = [...new Set(this.#pool.begun.map(({ job }) => job.jobName))];
    const message =
      'The event loop was blocked, and heartbeats with it: work that keeps the CPU busy belongs in a subprocess job';
    this.#log.warn(message, { blockedMs: Math.round(blockedMs), jobNames });
  }
}
