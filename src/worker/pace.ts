/** Jobs claimed ahead should begin within this time, unless claims take long. */
const AHEAD_MS = 20;

/** Number of claims that waiting jobs should outlast where claims are slow: the one under way and the next. */
const CLAIMS_AHEAD = 2;

/** Upper limit of the time in which jobs claimed ahead begin, because another worker may be idle. */
const MAX_AHEAD_MS = 100;

/**
 * Minimum share of the slots to claim ahead. A smaller share means that jobs take long. A job claimed ahead would then wait
 * for long if all running jobs end together.
 */
const MIN_SHARE = 1 / 4;

/** Minimum number of jobs to claim ahead. Claiming a single one costs a command more than if an idle worker claims it. */
const MIN_AHEAD = 2;

/** Maximum number of jobs to claim ahead. More would hardly save a command, and leave more to recover after a crash. */
const MAX_AHEAD = 200;

/** Maximum number of jobs that a worker holds. Claiming and recovering this many is still quick. */
const MAX_HELD = 1000;

/** The pace is measured over at least this many endings, or twice `maxThreads`: jobs that began together may end together. */
const MIN_ENDINGS = 10;

/** The longest that an outcome waits for others. Short beside the cost of requesting a job, long beside a write. */
const MAX_GATHER_MS = 15;

/** This share of the held attempts is worth a write of its own. */
const WRITE_SHARE = 1 / 4;

/** Two clocks. `ranMs` counts while anything runs, `slotsMs` counts in proportion to the slots in use. */
interface Moment {
  readonly ranMs: number;
  readonly slotsMs: number;
}

/**
 * Measures how fast attempts ended lately. The pace decides how many jobs are claimed ahead, and how long an outcome waits
 * to be written with others. Many jobs of a few milliseconds share their commands this way, and neither a lone job nor a
 * long one notices.
 *
 * For claims, time counts in proportion to the slots in use. While half of the slots are busy, it counts half, because
 * slots left empty by a slow claim say nothing about the jobs. For outcomes, time counts while anything runs.
 */
export class Pace {
  /** The moment of each recent ending, by `#now`. The oldest is at `#count % #size`. */
  readonly #endings: Moment[] = [];
  readonly #size: number;
  #count = 0;
  #running = 0;
  /** When an attempt last began or ended, by `performance.now()` and by both clocks. */
  #changed = { at: 0, now: { ranMs: 0, slotsMs: 0 } };
  /** Moving average of how long claims take. */
  #claimMs = 0;

  /** @param maxThreads how many attempts run at a time */
  constructor(private readonly maxThreads: number) {
    this.#size = Math.max(MIN_ENDINGS, 2 * maxThreads);
  }

  /** Notes that an attempt got a slot. */
  began(): void {
    this.#change(1);
  }

  /** Notes that a slot is free again. */
  ended(): void {
    this.#endings[this.#count % this.#size] = this.#change(-1);
    this.#count += 1;
  }

  /** Notes how long a claim took. */
  claimTook(ms: number): void {
    this.#claimMs = (this.#claimMs + ms) / 2;
  }

  /** Forgets the pace, which has changed and is unknown for now. */
  forget(): void {
    this.#count = 0;
  }

  /**
   * Returns how many jobs may wait for a slot: as many as should begin within 20 ms, or during two claims. Returns 0 until
   * the pace is known. Jobs that take longer than about 80 ms are never claimed ahead, since another worker could begin
   * them sooner.
   *
   * @param share upper limit where other workers claim as well, because more urgent jobs may come behind these
   */
  ahead(share: number): number {
    if (this.#count < this.#size) return 0;
    const gapMs = this.#meanGap('slotsMs');
    if (AHEAD_MS < gapMs * Math.max(MIN_AHEAD, this.maxThreads * MIN_SHARE)) return 0;
    const aheadMs = Math.max(AHEAD_MS, Math.min(CLAIMS_AHEAD * this.#claimMs, MAX_AHEAD_MS));
    const most = Math.min(share, MAX_AHEAD, MAX_HELD - this.maxThreads);
    return Math.max(0, Math.min(Math.floor(aheadMs / gapMs), most));
  }

  /**
   * Returns how much longer outcomes should wait for others, in milliseconds. Returns 0 when enough have ended, when few
   * attempts run, or when attempts end far apart.
   *
   * @param waiting how many outcomes wait
   * @param waitedMs how long the first of them has waited
   * @param held how many attempts have an unwritten outcome or none, including those that wait
   */
  gatherMs(waiting: number, waitedMs: number, held: number): number {
    if (waiting >= held * WRITE_SHARE || this.#meanGap('ranMs') >= MAX_GATHER_MS) return 0;
    return Math.max(0, MAX_GATHER_MS - waitedMs);
  }

  /** Returns the mean time between the recent endings by one of the clocks. Infinite for fewer than two endings. */
  #meanGap(clock: keyof Moment): number {
    if (this.#count < 2) return Number.POSITIVE_INFINITY;
    const known = Math.min(this.#count, this.#size);
    const oldest = this.#endings[(this.#count - known) % this.#size]?.[clock] ?? 0;
    return (this.#now()[clock] - oldest) / known;
  }

  #change(by: number): Moment {
    const now = this.#now();
    this.#changed = { at: performance.now(), now };
    this.#running += by;
    return now;
  }

  #now(): Moment {
    const { at, now } = this.#changed;
    if (this.#running === 0) return now;
    const ms = performance.now() - at;
    return { ranMs: now.ranMs + ms, slotsMs: now.slotsMs + (ms * this.#running) / this.maxThreads };
  }
}
