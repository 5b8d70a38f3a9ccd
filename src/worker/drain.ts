import type { ClaimedJob } from '../job/job.js';
import type { QueuedJob } from '../job/queued-job.js';
import { withJobRejections } from '../job-rejections.js';
import { countTakeable } from '../jobs-ready.js';
import { withFields } from '../log.js';
import { Alarm } from './alarm.js';
import { Attempt, type AttemptScope } from './attempt.js';
import { AttemptEvents } from './attempt-events.js';
import type { Batch } from './batch.js';
import { Claimer } from './claimer.js';
import { countRemaining } from './count-remaining.js';
import { type DrainLimits, type DrainScope, type SharedByDrains, workerName } from './drain-scope.js';
import { Endings } from './endings.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Linger } from './linger.js';
import { Pace } from './pace.js';
import { PendingWork } from './pending-work.js';
import { Pool } from './pool.js';
import { ReadyAnnouncer } from './ready-announcer.js';
import { Reports } from './reports.js';
import { WorkerStepStore } from './step-store.js';
import type { DrainSummary } from './summary.js';
import { unlessAborted } from './unless-aborted.js';
import { Writer } from './writer.js';

/**
 * Claims jobs, runs up to `maxThreads` at a time and settles each as it ends, until no job is due or the drain must stop.
 * A single claim fills all free slots, and a slow job never holds up the other slots.
 *
 * When told to stop, the drain claims no more and fires the signals of running jobs. At the cut-off it gives back
 * unfinished jobs. It returns only when it holds no job, or the database did not take them back in time.
 */
export async function drain(shared: SharedByDrains, limits: DrainLimits): Promise<DrainSummary> {
  const name = workerName(shared.name);
  const log = withFields(shared.log, { worker: name });
  return withJobRejections(() => new Drain({ shared, limits, name, log }).run());
}

/**
 * The loop of one drain. It claims jobs whenever the alarm rings. The claimer takes a job, the pool begins it once a slot
 * is free, the attempt calls its function, the endings settle it, and then the pool rings the alarm.
 */
class Drain {
  readonly #alarm: Alarm;
  readonly #pace: Pace;
  readonly #pool: Pool;
  readonly #ready: ReadyAnnouncer;
  readonly #reports: Reports;
  readonly #leases: LeaseKeeper;
  readonly #claimer: Claimer;
  readonly #linger: Linger;
  readonly #events: AttemptEvents;
  readonly #endings: Endings;
  readonly #attempts: AttemptScope;
  readonly #recoveries = new PendingWork();
  /** When the drain last recovered jobs of crashed workers. */
  #recoveredAt = performance.now();
  /** Number of jobs that the drain has promised to take since its last claim began. */
  #promised = 0;

  constructor(private readonly scope: DrainScope) {
    const { shared, limits, name, log } = scope;
    this.#alarm = new Alarm(shared.jobs, limits.pollMs);
    const { wake } = this.#alarm;
    this.#pace = new Pace(limits.maxThreads);
    this.#pool = new Pool(limits, this.#pace, wake);
    this.#ready = new ReadyAnnouncer(scope);
    this.#reports = new Reports(shared.jobs, log);
    this.#leases = new LeaseKeeper(scope, this.#reports, wake);
    const writer = new Writer(scope, this.#pace, this.#pool, this.#ready);
    this.#claimer = new Claimer(scope, writer, this.#ready);
    this.#linger = new Linger(scope, this.#alarm, this.#claimer, this.#pool, this.#leases);
    this.#events = new AttemptEvents(shared.events, name);
    this.#endings = new Endings(scope, {
      pool: this.#pool,
      leases: this.#leases,
      reports: this.#reports,
      writer,
      events: this.#events,
      ready: this.#ready,
    });
    this.#attempts = {
      ...scope,
      wholeTimeMs: limits.stopAt - Date.now(),
      events: this.#events,
      leases: this.#leases,
      steps: new WorkerStepStore(shared, writer, this.#leases),
      onEnd: (attempt, outcome, before) => {
        this.#pool.end(attempt, before);
        void this.#endings.follow(attempt, outcome);
      },
    };
  }

  async run(): Promise<DrainSummary> {
    const { stop, cutOff, end } = this.scope.limits;
    // Listeners make sure that running jobs hear of the stop even if a claim hangs.
    stop.addEventListener('abort', () => this.#pool.stop());
    cutOff.addEventListener('abort', () => this.#pool.abandon());
    const stopListening = this.scope.shared.jobsReady.listen((jobs) => this.#promiseToTake(jobs));
    try {
      await this.#work();
    } finally {
      stopListening();
      this.#alarm.close();
      await this.#reports.close();
      const leaving = [this.#leases.pause(end.aborted), this.#linger.end(), this.#finishGroups()];
      await Promise.all([...leaving, this.#ready.end(), this.#recoveries.end()]);
    }
    return this.#sumUp();
  }

  async #work(): Promise<void> {
    for (;;) {
      this.#recoverLost();
      if (this.#pool.jobsWaitAlone && this.#pool.isEmpty) await this.#runJobsAlone();
      // Asked before the claim, so that no job becomes due unseen between the two.
      const waitsForJob = this.#room > 0 && (await this.#linger.setAlarm());
      const wasIdle = this.#pool.isEmpty;
      const foundSome = await this.#claim();
      await this.#pool.fillBatches((batch) => this.#fill(batch));
      this.#ready.tell();
      if (!this.#pool.isEmpty || waitsForJob) await this.#wait();
      else if (wasIdle && !foundSome && (await this.#isDone())) return;
      // Otherwise jobs ended during the claim, or some were promised to be taken: the drain claims again at once.
    }
  }

  /** Claims jobs as far as there is room. Returns whether any were found, even if limits turned them away. */
  async #claim(): Promise<boolean> {
    const room = this.#room;
    const askedAt = performance.now();
    this.#promised = 0;
    if (room <= 0) return false;
    const { jobs, foundSome, moreWait } = await this.#claimer.claim(room);
    this.#pool.moreWait = moreWait;
    if (jobs.length > 0) this.#pace.claimTook(performance.now() - askedAt);
    this.#hold(jobs, askedAt);
    return foundSome;
  }

  /** How many jobs to claim now. */
  get #room(): number {
    if (this.#leases.isLate) return 0;
    return Math.min(this.#pool.room(this.#pace.ahead(this.#claimer.share)), this.#claimer.left);
  }

  /** Keeps the leases of claimed jobs, and lets the jobs begin. */
  #hold(jobs: readonly ClaimedJob[], askedAt: number): void {
    this.#events.claimed(jobs.length);
    const attempts = jobs.map((job) => {
      const factory = this.scope.shared.factory(job.jobName);
      if (!factory) throw new Error(`A claim took a job without code here: '${job.jobName}'.`);
      return new Attempt(job, factory, this.#reports.of(job), askedAt, this.#attempts);
    });
    for (const attempt of attempts) this.#leases.hold(attempt);
    this.#pool.add(attempts);
  }

  async #wait(): Promise<void> {
    this.scope.shared.onGoesOn();
    await this.#alarm.next();
  }

  /** Returns whether nothing is left to do, not even a job that waited for the last ones. */
  async #isDone(): Promise<boolean> {
    if (this.#promised === 0) await this.#finishGroups();
    return this.#promised === 0;
  }

  /** Claims more jobs for a batch. */
  async #fill({ jobName, queue, seats }: Batch): Promise<void> {
    const most = Math.min(seats, this.#claimer.left);
    if (most <= 0 || !this.#pool.isOpen || this.#leases.isLate) return;
    const askedAt = performance.now();
    this.#hold(await this.#claimer.claimLike(jobName, queue, most), askedAt);
  }

  /**
   * Runs jobs that crashed together with others, one at a time. If the process dies again, the culprit is known and no
   * other job is lost with it.
   */
  async #runJobsAlone(): Promise<void> {
    while (!this.#pool.isClosed && this.#claimer.left > 0) {
      const askedAt = performance.now();
      const jobs = await this.#claimer.claimAlone();
      if (jobs.length === 0) break;
      this.#hold(jobs, askedAt);
      while (!this.#pool.isEmpty) await this.#wait();
    }
    this.#pool.jobsWaitAlone = false;
  }

  /** Recovers the jobs of crashed workers once per lease, beside the work. */
  #recoverLost(): void {
    const { leaseMs, recoverLost } = this.scope.shared;
    if (performance.now() - this.#recoveredAt < leaseMs || this.#pool.isClosed) return;
    this.#recoveredAt = performance.now();
    this.#recoveries.add(
      unlessAborted(this.scope.limits.end, recoverLost()).then((jobsWaitAlone = false) => {
        if (jobsWaitAlone) this.#pool.jobsWaitAlone = true;
        this.#alarm.wake();
      }),
    );
  }

  /** Promises to claim newly queued jobs as far as there is room, and wakes the loop. Returns the number of these jobs. */
  #promiseToTake(jobs: readonly QueuedJob[]): number {
    const room = this.#room - this.#promised;
    if (room <= 0) return 0;
    const count = Math.min(room, countTakeable(jobs, this.scope.shared.claimFilter()));
    this.#promised += count;
    this.#alarm.wake();
    return count;
  }

  /** Looks after the groups of the jobs that have ended. If the time is up, other workers do so later. */
  async #finishGroups(): Promise<void> {
    await unlessAborted(this.scope.limits.end, this.#endings.groups.finish());
  }

  async #sumUp(): Promise<DrainSummary> {
    const { stop, end } = this.scope.limits;
    const { claimed, hasLeftOut } = this.#claimer;
    const { abandoned } = this.#pool;
    const isCounted = !end.aborted && (stop.aborted || hasLeftOut || abandoned > 0);
    const remaining = isCounted ? await countRemaining(this.scope) : 0;
    return { claimed, ...this.#endings.counts, abandoned, remaining };
  }
}
