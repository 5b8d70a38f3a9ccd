import type { Collection } from 'mongodb';
import type { AttemptEnded, JobWaited } from '../events.js';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import { addCounts, type GatheredCounts, isMinuteOf } from './add-counts.js';
import { countDuration } from './histogram.js';
import { MINUTE_MS, noCounts, type StatisticsDocument, type WaitCounts } from './statistics-document.js';
import { type KindSums, noKindSums } from './sums.js';

/** How long to wait for the write. Nothing depends on the write, so it must not delay the end of an invocation. */
const MAX_WAIT_MS = 1_000;

/**
 * Counts the outcomes of one processor's attempts, and the waits of jobs for limits. Writes the counts each minute during a
 * drain, and at its end. Counts are lost if they cannot be written.
 */
export class Tally {
  #total = noCounts();
  #byName = new Map<string, KindSums>();
  #byLimit = new Map<string, WaitCounts>();
  #isEmpty = true;
  #written = performance.now();
  /** The database's clock minus this process's. 0 until the first write. */
  #offsetMs = 0;

  constructor(
    private readonly statistics: Collection<StatisticsDocument>,
    private readonly log: Logger,
    /** Writes the other counts. Never rejects. */
    private readonly alongside: () => Promise<void> = async () => {},
  ) {}

  /** Counts an attempt that has ended. Ignores an `unsettled` attempt, since recovery will end it. */
  countAttempt({ jobName, outcome, durationMs, waitedMs }: AttemptEnded): void {
    if (outcome === 'unsettled') return;
    const ofName = this.#byName.get(jobName) ?? noKindSums();
    this.#byName.set(jobName, ofName);
    for (const counts of [this.#total, ofName.counts]) {
      counts[outcome] += 1;
      counts.durationMs += durationMs ?? 0;
    }
    if (durationMs !== undefined) countDuration(ofName.run, durationMs);
    // The moment when it was due is by the database's clock.
    if (waitedMs !== undefined) countDuration(ofName.wait, waitedMs + this.#offsetMs);
    this.#isEmpty = false;
  }

  /** Counts a wait for a limit. */
  countWait({ limit, waitedMs }: JobWaited): void {
    const counts = this.#byLimit.get(limit) ?? { waits: 0, waitedMs: 0 };
    this.#byLimit.set(limit, counts);
    counts.waits += 1;
    counts.waitedMs += waitedMs;
    this.#isEmpty = false;
  }

  /** Writes the counts each minute while `work` runs, and at its end. Writes nothing if nothing was counted. */
  async writeDuring<Result>(work: () => Promise<Result>): Promise<Result> {
    const timer = setInterval(() => void this.write(), MINUTE_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      await this.write();
    }
  }

  /** Writes like `write`, but at most once a minute. */
  async writeIfDue(): Promise<void> {
    if (performance.now() - this.#written >= MINUTE_MS) await this.write();
  }

  /** Writes the counts since the last write, if there are any. Never throws. */
  async write(): Promise<void> {
    if (this.#isEmpty) return;
    const counts = { total: this.#total, byName: this.#byName, byLimit: this.#byLimit };
    this.#total = noCounts();
    this.#byName = new Map();
    this.#byLimit = new Map();
    this.#isEmpty = true;
    this.#written = performance.now();
    const others = this.alongside();
    try {
      await withinTime(MAX_WAIT_MS, this.#add(counts));
    } catch (error) {
      this.log.warn('The counts of attempts could not be written', { error: String(error) });
    }
    await others;
  }

  async #add(counts: GatheredCounts): Promise<void> {
    const minute = this.#minute();
    const now = await addCounts(this.statistics, minute, counts);
    this.#offsetMs = now.getTime() - Date.now();
    if (!isMinuteOf(minute, now)) await addCounts(this.statistics, this.#minute(), withoutWaits(counts));
  }

  /** Returns the current minute by the database's clock, estimated from this process's. */
  #minute(): Date {
    const now = Date.now() + this.#offsetMs;
    return new Date(now - (now % MINUTE_MS));
  }
}

/** Returns the counts without the jobs' waiting times. A clock that turned out to be wrong measured them. */
function withoutWaits(counts: GatheredCounts): GatheredCounts {
  const byName = [...counts.byName].map(([name, sums]) => [name, { ...sums, wait: new Map() }] as const);
  return { ...counts, byName: new Map(byName) };
}
