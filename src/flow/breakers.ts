import type { Events } from '../events.js';
import type { BreakerRules } from '../job/breaker-rules.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import {
  addFailures,
  closeBreaker,
  closeByProbe,
  endProbe,
  findOpenBreakers,
  isTried,
  type OpenBreaker,
  putOffLook,
  returnJobs,
  takeProbe,
} from './breaker-statements.js';
import type { FlowCollections } from './limit-document.js';

/**
 * How long a read is trusted. So this process notices an open breaker after at most this time, as it does a paused queue.
 */
const READ_AGAIN_MS = 5_000;

/** How long an attempt that ended waits for the write. */
const MAX_WAIT_MS = 1_000;

/** Options of `Breakers`. */
export interface BreakersOptions {
  readonly collections: FlowCollections;
  /** Rules of the kinds of jobs that this process has. */
  readonly rulesOf: (jobName: string) => BreakerRules | undefined;
  readonly leaseMs: number;
  readonly events: Events;
  readonly log: Logger;
}

/**
 * The circuit breakers of the kinds of jobs that this process runs.
 *
 * Closed: failed attempts are counted, by a command each. Open: claims leave out the kind. Half open, after the pause: all
 * workers together try one job, and its end decides. The breaker knows this job by its lease. If the job's worker dies,
 * another job is tried once the lease has expired.
 */
export class Breakers {
  /** The breakers known to be open or half open, and when a job may be tried, by `performance.now()`. */
  readonly #open = new Map<string, number>();
  #readAt = Number.NEGATIVE_INFINITY;
  /** The jobs of this process that are tried, by their kind. */
  readonly #probes = new Map<string, ClaimedJob>();
  /** Failed attempts that the next write counts, by their kind. */
  readonly #failures = new Map<string, { count: number; readonly written: Promise<void> }>();
  /** The last write of each kind. */
  readonly #writes = new Map<string, Promise<void>>();

  constructor(private readonly options: BreakersOptions) {}

  /** Makes the next call of `closed` read again. */
  forget(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  /** Returns the kinds of jobs that claims may take. @throws the driver's errors */
  async closed(jobNames: readonly string[]): Promise<readonly string[]> {
    const withBreaker = jobNames.filter((name) => this.options.rulesOf(name));
    if (withBreaker.length === 0) return jobNames;
    if (performance.now() - this.#readAt >= READ_AGAIN_MS) {
      await this.#read(withBreaker);
      this.#readAt = performance.now();
    }
    return jobNames.filter((name) => !this.isOpen(name));
  }

  /** Whether no job of the kind may start, as far as this process knows. */
  isOpen(jobName: string): boolean {
    return performance.now() < (this.#open.get(jobName) ?? Number.NEGATIVE_INFINITY);
  }

  /**
   * Returns the claimed jobs that may start. If the breaker of a kind is half open, one of its jobs may start, or none
   * while another is tried. The others go back to the queue as they were. Costs nothing while all breakers are closed.
   *
   * @throws the driver's errors. The jobs are then still leased
   */
  async admit(claimed: readonly ClaimedJob[]): Promise<readonly ClaimedJob[]> {
    const kinds = [...this.#open.keys()].filter((name) => claimed.some(({ jobName }) => jobName === name));
    if (kinds.length === 0) return claimed;
    const refused = new Set<ClaimedJob>();
    for (const open of await this.#read(kinds)) {
      const [first, ...others] = claimed.filter(({ jobName }) => jobName === open.jobName);
      for (const job of others) refused.add(job);
      if (first && !(await this.#try(open, first))) refused.add(first);
    }
    if (refused.size > 0) await returnJobs(this.options.collections.jobs, [...refused]);
    return claimed.filter((job) => !refused.has(job));
  }

  /** Lets other jobs be tried in place of those that may not start after all. */
  async letGo(admitted: readonly ClaimedJob[], of: readonly ClaimedJob[]): Promise<void> {
    for (const job of of) {
      if (this.#isProbe(job) && !admitted.some(({ id }) => id === job.id)) await this.#endProbe(job, 0);
    }
  }

  /**
   * Learns how an attempt ended. If that changes anything, returns a promise of the write. The promise never rejects, and
   * resolves within a second or two.
   *
   * An attempt that ended its job in `error` by itself shows that its job is bad, not that the service is down. A cancelled
   * attempt shows nothing.
   */
  ended(job: ClaimedJob, ending: Outcome, isCancelled: boolean): Promise<void> | undefined {
    const rules = this.options.rulesOf(job.jobName);
    if (!rules) return undefined;
    const outcome: Outcome = isCancelled ? { kind: 'givenBack', atDeadline: false } : ending;
    const hasFailed = outcome.kind === 'failed' && outcome.retryAfterMs !== null;
    if (this.#isProbe(job)) return this.#quietly(this.#probeEnded(job, outcome, hasFailed, rules));
    return hasFailed ? this.#countFailure(job.jobName, rules) : undefined;
  }

  /** Closes the breaker of a kind, whatever its state. @throws the driver's errors */
  async close(jobName: string): Promise<void> {
    const wasOpen = await closeBreaker(this.options.collections.limits, jobName);
    this.#open.delete(jobName);
    if (wasOpen) this.#tellClosed(jobName, 'a person closed it');
  }

  async #read(jobNames: readonly string[]): Promise<OpenBreaker[]> {
    const found = await findOpenBreakers(this.options.collections.limits, jobNames);
    for (const name of jobNames) this.#open.delete(name);
    for (const { jobName, probeInMs } of found) this.#learn(jobName, probeInMs);
    return found;
  }

  #learn(jobName: string, probeInMs: number): void {
    this.#open.set(jobName, performance.now() + probeInMs);
  }

  /** Tries a job if its breaker is half open and no other is tried. Returns whether it may start. */
  async #try(open: OpenBreaker, job: ClaimedJob): Promise<boolean> {
    const { collections, leaseMs } = this.options;
    const { jobName, probeInMs, probe } = open;
    if (probeInMs > 0) return false;
    this.#learn(jobName, leaseMs);
    if (probe && (await isTried(collections.jobs, probe))) {
      await putOffLook(collections.limits, open, leaseMs);
      return false;
    }
    if (!(await takeProbe(collections.limits, open, job, leaseMs))) return false;
    this.#probes.set(jobName, job);
    return true;
  }

  #isProbe({ id, token, jobName }: ClaimedJob): boolean {
    const probe = this.#probes.get(jobName);
    return probe?.id === id && probe.token === token;
  }

  async #probeEnded(
    job: ClaimedJob,
    { kind }: Outcome,
    hasFailed: boolean,
    { pauseMs }: BreakerRules,
  ): Promise<void> {
    const { jobName } = job;
    const { limits } = this.options.collections;
    if (hasFailed) {
      if (await this.#endProbe(job, pauseMs)) this.#tellOpened(jobName, pauseMs);
    } else if (kind === 'completed') {
      this.#probes.delete(jobName);
      const isClosed = await closeByProbe(limits, job);
      this.#open.delete(jobName);
      if (isClosed) this.#tellClosed(jobName, 'a job was tried, and ended well');
    } else await this.#endProbe(job, 0);
  }

  async #endProbe(job: ClaimedJob, againInMs: number): Promise<boolean> {
    this.#probes.delete(job.jobName);
    this.#learn(job.jobName, againInMs);
    return endProbe(this.options.collections.limits, job, againInMs);
  }

  /** Counts a failure by the next write, which begins once the present one has ended. */
  #countFailure(jobName: string, rules: BreakerRules): Promise<void> {
    const waiting = this.#failures.get(jobName);
    if (waiting) {
      waiting.count += 1;
      return waiting.written;
    }
    const last = this.#writes.get(jobName) ?? Promise.resolve();
    const written = last.then(() => this.#quietly(this.#writeFailures(jobName, rules)));
    this.#failures.set(jobName, { count: 1, written });
    this.#writes.set(jobName, written);
    return written;
  }

  async #writeFailures(jobName: string, rules: BreakerRules): Promise<void> {
    const { count = 0 } = this.#failures.get(jobName) ?? {};
    this.#failures.delete(jobName);
    const state = await addFailures(this.options.collections.limits, jobName, rules, count);
    if (state === 'open') this.#readAt = Number.NEGATIVE_INFINITY; // The next claim learns until when.
    if (state !== 'opened') return;
    this.#learn(jobName, rules.pauseMs);
    this.#tellOpened(jobName, rules.pauseMs);
  }

  /**
   * Waits for the write, so that no further attempt begins before it. A dead connection must not hold up attempts, so the
   * wait is limited.
   */
  async #quietly(write: Promise<void>): Promise<void> {
    try {
      await withinTime(MAX_WAIT_MS, write);
    } catch (error) {
      this.options.log.warn('A circuit breaker could not be written', { error: String(error) });
    }
  }

  #tellOpened(jobName: string, pauseMs: number): void {
    const { events, log } = this.options;
    log.warn('A circuit breaker is open: no job of this kind starts', { jobName, pauseMs });
    if (events.isHeard('circuitOpened')) events.tell('circuitOpened', { jobName, pauseMs });
  }

  #tellClosed(jobName: string, why: string): void {
    const { events, log } = this.options;
    log.info(`A circuit breaker is closed: ${why}`, { jobName });
    if (events.isHeard('circuitClosed')) events.tell('circuitClosed', { jobName });
  }
}
