import { countDueJobs } from '../job/count-due-jobs.js';
import type { JobFactory } from '../job/define-job.js';
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
import { Batch } from './batch.js';
import { Claimer } from './claimer.js';
import { GroupWatch } from './group-watch.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Linger } from './linger.js';
import { Pace } from './pace.js';
import { Pool } from './pool.js';
import { WorkerStepStore } from './step-store.js';
import { type DrainSummary, emptySummary } from './summary.js';
import { unlessAborted } from './unless-aborted.js';
import { type DrainContext, type DrainLimits, workerName } from './worker.js';
import { Writer } from './writer.js';

/** The highest count of waiting jobs: a larger number says nothing more in a summary. */
const MAX_REMAINING_COUNTED = 1000;

/** A batch waits no longer than this share of the worker's remaining time, so that it runs. */
const MAX_SHARE_WAITED = 1 / 2;

/**
 * Time limit for counting, which takes a few milliseconds. With the default margin, this much time is left after giving
 * back.
 */
const MAX_COUNT_MS = 2_000;

/**
 * Claims jobs, runs up to `maxThreads` at a time and settles each as it ends, until no job is due or the drain must stop.
 * A single claim fills all free slots, and a slow job never holds up the other slots.
 *
 * When told to stop, the drain claims no more and fires the signals of running jobs. At the cut-off it gives back
 * unfinished jobs. It returns only when it holds no job, or the database did not take them back in time.
 */
export async function drain(worker: DrainContext, limits: DrainLimits): Promise<DrainSummary> {
  return withJobRejections(() => new Drain(worker, limits).run());
}

/**
 * One drain. `#work` claims jobs whenever the alarm rings. A job's way: `#claim` takes it, `#hold` keeps its lease and puts
 * it in line, `#beginNext` starts it in a free slot, `#ended` frees the slot, writes the outcome and rings the alarm.
 */
class Drain {
  /** Logger that adds the name of the drain to each line. */
  readonly #log: Logger;
  readonly #pace: Pace;
  readonly #pool: Pool;
  readonly #writer: Writer;
  readonly #leases: LeaseKeeper;
  readonly #claimer: Claimer;
  readonly #alarm: Alarm;
  readonly #linger: Linger;
  readonly #events: AttemptEvents;
  readonly #groups: GroupWatch;
  readonly #attemptOwner: AttemptOwner;
  /** True while due jobs must run alone. Nothing else is claimed until they have run. */
  #jobsWaitAlone: boolean;
  /** When the drain last recovered jobs of crashed workers. */
  #recoveredAt = performance.now();
  /** Number of jobs that the drain has promised to take since its last claim began. */
  #promised = 0;
  /** Jobs that may run now or later, and that no worker was told of yet. */
  readonly #queued: QueuedJob[] = [];
  /** Work under way beside the jobs, such as telling others about queued jobs. The drain awaits it at the end. */
  readonly #background = new Set<Promise<void>>();
  /** Counts the drain's own attempts only: other drains of this processor may run beside it. */
  readonly #summary = emptySummary();

  constructor(
    private readonly worker: DrainContext,
    private readonly limits: DrainLimits,
  ) {
    const { name, jobs, workers, leaseMs } = worker;
    const { maxThreads, pollMs, end } = limits;
    const drainName = workerName(name);
    const log = withFields(worker.log, { worker: drainName });
    this.#log = log;
    this.#jobsWaitAlone = limits.runsAlone;
    this.#alarm = new Alarm(jobs, pollMs);
    this.#pace = new Pace(maxThreads);
    this.#pool = new Pool(maxThreads, (attempts) => this.#giveBackLongWaits(attempts));
    const unwritten = () => this.#pool.unwritten;
    const release = (freed: readonly ClaimedJob[]) => this.#release(freed);
    this.#writer = new Writer({ jobs, leaseMs, pace: this.#pace, release, unwritten, end, log });
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
    this.#claimer = new Claimer(worker, limits, drainName, log, giveBack, this.#queued);
    this.#events = new AttemptEvents(worker.events, drainName);
    const { client, jobSteps: pages } = worker;
    this.#attemptOwner = {
      worker,
      limits,
      wholeTimeMs: limits.stopAt - Date.now(),
      log,
      events: this.#events,
      leases: this.#leases,
      steps: new WorkerStepStore({
        client,
        jobs,
        pages,
        writer: this.#writer,
        leases: this.#leases,
        leaseMs,
      }),
      onEnd: (ended, outcome, before) => void this.#ended(ended, outcome, before),
    };
    this.#groups = new GroupWatch(worker.groups, (ready) => worker.jobsReady.tell(ready));
    this.#linger = new Linger({
      worker,
      limits,
      name: drainName,
      claimer: this.#claimer,
      alarm: this.#alarm,
      log,
      isIdle: () => this.#pool.isEmpty,
      onWait: () => this.#leases.pause(false),
    });
  }

  async run(): Promise<DrainSummary> {
    const { stop, cutOff, end } = this.limits;
    // Listeners make sure that running jobs hear of the stop even if a claim hangs.
    stop.addEventListener('abort', () => this.#tellToStop());
    cutOff.addEventListener('abort', () => this.#giveBackAll());
    const stopListening = this.worker.jobsReady.listen((jobs) => this.#promiseToTake(jobs));
    try {
      await this.#work();
    } finally {
      stopListening();
      this.#alarm.close();
      await this.#writer.close();
      const ending = [this.#leases.pause(end.aborted), this.#linger.end(), this.#finishGroups()];
      await Promise.all([...ending, ...this.#background]);
    }
    this.#summary.claimed = this.#claimer.claimed;
    if (!end.aborted && (stop.aborted || this.#claimer.leftOut || this.#summary.abandoned > 0)) {
      this.#summary.remaining = await this.#countRemaining();
    }
    return this.#summary;
  }

  async #work(): Promise<void> {
    for (;;) {
      this.#recoverLost();
      if (this.#jobsWaitAlone && this.#pool.isEmpty) await this.#runJobsAlone();
      // Asked before the claim, so that no job becomes due unseen between the two.
      const waitsForJob = this.#room() > 0 && (await this.#linger.setAlarm());
      const wasIdle = this.#pool.isEmpty;
      const foundNone = !(await this.#claim());
      await this.#fillBatches();
      this.#tellQueued();
      if (!this.#pool.isEmpty || waitsForJob) await this.#wait();
      else if (wasIdle && foundNone && this.#promised === 0) {
        // The last jobs may have been what others wait for.
        await this.#finishGroups();
        if (this.#promised === 0) return;
      }
      // Otherwise jobs ended during the claim, or some were promised to be taken: the drain claims again at once.
    }
  }

  /** Looks after the groups of the jobs that have ended. Others do so later if the time is up. */
  async #finishGroups(): Promise<void> {
    await unlessAborted(this.limits.end, this.#groups.finish());
  }

  async #wait(): Promise<void> {
    this.worker.onGoesOn();
    await this.#alarm.next();
  }

  /** Claims jobs for the free slots and begins them. Returns whether any were found, even if limits turned them away. */
  async #claim(): Promise<boolean> {
    const room = this.#room();
    const askedAt = performance.now();
    this.#promised = 0;
    if (room <= 0) return false;
    const jobs = await this.#claimer.claim(room);
    if (jobs.length > 0) this.#pace.claimTook(performance.now() - askedAt);
    this.#hold(jobs, askedAt);
    return this.#claimer.foundSome;
  }

  /** Claims more jobs for each new batch and for each that need not wait longer, and lets the latter begin. */
  async #fillBatches(): Promise<void> {
    for (const batch of this.#pool.openBatches) {
      const { isNew } = batch;
      const mayBegin = batch.isDue || this.#jobsWaitAlone || this.#pool.waiting.length > 0;
      batch.isNew = false;
      if (isNew ? this.#claimer.moreWait : mayBegin) await this.#fill(batch);
      if (mayBegin) batch.begin();
      // The jobs of the last claim share a slot, so others may be free.
      if (isNew && this.#claimer.moreWait) this.#alarm.wake();
    }
  }

  async #fill({ jobName, queue, seats }: Batch): Promise<void> {
    const most = Math.min(seats, this.limits.maxJobs - this.#claimer.claimed);
    if (most <= 0 || this.#mustEnd || this.#leases.isLate || this.#jobsWaitAlone) return;
    const askedAt = performance.now();
    this.#hold(await this.#claimer.claimLike(jobName, queue, most), askedAt);
  }

  /** Tells workers about jobs that may run now or later. */
  #tellQueued(): void {
    if (this.#queued.length > 0) this.#beside(this.worker.jobsReady.tell(this.#queued.splice(0)));
  }

  /**
   * Runs jobs that crashed together with others, one at a time. If the process dies again, the culprit is known and no
   * other job is lost with it.
   */
  async #runJobsAlone(): Promise<void> {
    while (!this.#mustEnd && this.#claimer.claimed < this.limits.maxJobs) {
      const askedAt = performance.now();
      const jobs = await this.#claimer.claimAlone();
      if (jobs.length === 0) break;
      this.#hold(jobs, askedAt);
      while (!this.#pool.isEmpty) await this.#wait();
    }
    this.#jobsWaitAlone = false;
  }

  /** Recovers the jobs of crashed workers once per lease, beside the work. */
  #recoverLost(): void {
    const { leaseMs, recoverLost } = this.worker;
    if (performance.now() - this.#recoveredAt < leaseMs || this.#mustEnd) return;
    this.#recoveredAt = performance.now();
    this.#beside(
      unlessAborted(this.limits.end, recoverLost()).then((jobsWaitAlone = false) => {
        if (jobsWaitAlone) this.#jobsWaitAlone = true;
        this.#alarm.wake();
      }),
    );
  }

  /** Lets work go on beside the jobs. `run` waits for it at its end. */
  #beside(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  /** Promises to claim newly queued jobs as far as there is room, and wakes the loop. Returns the number of these jobs. */
  #promiseToTake(jobs: readonly QueuedJob[]): number {
    const room = this.#room() - this.#promised;
    if (room <= 0) return 0;
    const count = Math.min(room, countTakeable(jobs, this.worker.claimFilter()));
    this.#promised += count;
    this.#alarm.wake();
    return count;
  }

  /**
   * Returns how many jobs to claim now: enough for the free slots and a few that wait for one.
   *
   * While more jobs are due, the next claim runs beside the write that settles the last ones. Unwritten outcomes then
   * reduce the claim only when there are very many. If no more jobs are due, the claim waits for that write, so a single
   * claim finds requeued jobs too and fills all slots.
   */
  #room(): number {
    const { maxThreads, maxJobs } = this.limits;
    if (this.#mustEnd || this.#leases.isLate || this.#jobsWaitAlone) return 0;
    const waiting = this.#pool.waiting.length;
    const ahead = this.#pace.ahead(this.#claimer.share);
    // Enough jobs wait for now, so the next claim can take more at once.
    if (waiting > 0 && waiting >= ahead / 2) return 0;
    const { unfinished, ended, writing } = this.#pool;
    const unsettled = this.#claimer.moreWait ? Math.max(0, ended - ahead) : ended + writing;
    return Math.min(maxThreads + ahead - unfinished - unsettled, maxJobs - this.#claimer.claimed);
  }

  /** Whether the drain must claim and begin nothing more. */
  get #mustEnd(): boolean {
    const { stop, stopWhenAbandoned = false } = this.limits;
    return stop.aborted || (stopWhenAbandoned && this.#summary.abandoned > 0);
  }

  #hold(jobs: readonly ClaimedJob[], askedAt: number): void {
    this.#events.claimed(jobs.length);
    const attempts = jobs.map((job) => this.#attemptAt(job, askedAt));
    for (const attempt of attempts) this.#leases.hold(attempt);
    this.#pool.add(attempts);
    for (const attempt of attempts) attempt.passOverIfNewer();
    this.#beginNext();
  }

  #attemptAt(job: ClaimedJob, askedAt: number): Attempt {
    return new Attempt(job, this.#factory(job), this.#writer.reportOf(job), askedAt, this.#attemptOwner);
  }

  #factory({ jobName }: ClaimedJob): JobFactory {
    const factory = this.worker.factory(jobName);
    if (!factory) throw new Error(`A claim took a job without code here: '${jobName}'.`);
    return factory;
  }

  /** Begins waiting attempts while slots are free. Gives them back if nothing may begin any more. */
  #beginNext(): void {
    if (this.#mustEnd) {
      this.#declineAll(this.#pool.unbegun);
      return;
    }
    for (let next = this.#pool.takeSlot(); next; next = this.#pool.takeSlot()) {
      this.#pace.began();
      this.#begin(next);
    }
  }

  /** Begins an attempt that has a slot, or opens a batch with it. */
  #begin(attempt: Attempt): void {
    const factory = this.#factory(attempt.job);
    const { batch } = factory;
    // A job that must run alone, or that `processNextJob` runs, has a call of its own.
    if (!batch || this.#jobsWaitAlone || this.limits.maxJobs === 1) {
      attempt.begin();
      return;
    }
    const leftMs = Math.max(0, this.limits.stopAt - Date.now());
    const waitMs = Math.min(batch.waitMs, leftMs * MAX_SHARE_WAITED);
    this.#pool.open(new Batch(attempt, factory, batch.size, waitMs, this.#alarm.wake));
  }

  /** Frees the slot for the next attempt, then settles this one. */
  async #ended(attempt: Attempt, outcome: Outcome, before: AttemptState): Promise<void> {
    const { jobName } = attempt.job;
    if (attempt.isAbandoned) this.#summary.abandoned += 1;
    else if (attempt.durationMs !== undefined) this.worker.durations.add(jobName, attempt.durationMs);
    if (this.#pool.end(attempt, before)) {
      this.#pace.ended();
      this.#beginNext();
    }
    if (outcome.kind === 'snoozed' && outcome.slowsDown) await this.#slowDown(attempt, outcome.delayMs);
    const learned = this.worker.breakers.ended(attempt.job, outcome, attempt.isToBeCancelled);
    if (learned) await learned.then(() => this.#declineIfOpen(jobName));
    const settledAs = await this.#settle(attempt, outcome);
    const ending = this.#events.ended(attempt.job, outcome, settledAs, attempt);
    this.#summary[ending] += 1;
    const isOpen = this.#pool.holdsSibling(attempt);
    this.#groups.ended(attempt.job, outcome, settledAs, attempt.hasChildren, isOpen);
    if (ending === 'retried' || ending === 'snoozed' || ending === 'suspended')
      this.#queued.push(...queuedAgain(attempt.job, outcome));
    this.#leases.release(attempt);
    this.#pool.release(attempt);
    this.#alarm.wake();
    // Only now does this drain have room for one of them.
    this.#tellQueued();
  }

  /** Gives back the jobs of a kind that have not begun, if its circuit breaker is open now. */
  #declineIfOpen(jobName: string): void {
    if (!this.worker.breakers.isOpen(jobName)) return;
    this.#declineAll(this.#pool.unbegun.filter(({ job }) => job.jobName === jobName));
  }

  /** Gives the places of jobs that ended to others. If that fails, the look within a minute does it. */
  async #release(freed: readonly ClaimedJob[]): Promise<void> {
    try {
      this.#queued.push(...(await this.worker.lines.release(freed)));
    } catch (error) {
      this.#log.warn('Places in limits could not be given to other jobs', { error: String(error) });
    }
  }

  /** Puts off the other jobs under the rate limit of this one. If that fails, they find out by themselves. */
  async #slowDown({ job }: Attempt, delayMs: number): Promise<void> {
    try {
      await this.worker.gate.slowDown(job, delayMs);
    } catch (error) {
      this.#log.warn('A rate limit could not be slowed down', { jobId: job.id, error: String(error) });
    }
  }

  /** Returns undefined if the outcome could not be written. */
  async #settle(attempt: Attempt, outcome: Outcome): Promise<SettledAs | undefined> {
    const onWriting = () => {
      this.#pool.beginWriting(attempt);
      // Otherwise the claim after the write finds as many.
      if (this.#claimer.moreWait) this.#alarm.wake();
    };
    try {
      return await this.#writer.settle(attempt.job, outcome, attempt.report, onWriting);
    } catch (error) {
      const message = 'An outcome could not be written: the job is recovered once its lease expires';
      this.#log.error(message, { ...attempt.describe(), error: String(error) });
      return undefined;
    }
  }

  #tellToStop(): void {
    this.#declineAll(this.#pool.unbegun);
    for (const attempt of this.#pool.begun) attempt.abort('stopping');
    this.#alarm.wake();
  }

  #giveBackAll(): void {
    for (const attempt of this.#pool.begun) attempt.abandon();
  }

  #giveBackLongWaits(attempts: readonly Attempt[]): void {
    this.#pace.forget();
    this.#declineAll(attempts);
  }

  #declineAll(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) attempt.decline();
  }

  /** Counts the remaining jobs. A failure is only logged, because the work is already done. */
  async #countRemaining(): Promise<number> {
    const { jobs, claimable } = this.worker;
    try {
      const count = claimable().then((filter) => countDueJobs(jobs, filter, MAX_REMAINING_COUNTED));
      return await withinTime(MAX_COUNT_MS, count);
    } catch (error) {
      this.#log.warn('The remaining jobs could not be counted', { error: String(error) });
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
