/** Jobs claimed ahead should begin within so long, unless claims take long. */
const AHEAD_MS = 20;

/** While a claim is under way, and until the next has come back, what waits should last; where claims are slow, too. */
const CLAIMS_AHEAD = 2;

/** But no longer than that: another worker may be idle. */
const MAX_AHEAD_MS = 100;

/** Fewer than this share of the slots is none: those of longer jobs would wait for long when all end together. */
const MIN_SHARE = 1 / 4;

/** One by one they would cost a command more than claimed by a worker that is idle. */
const MIN_AHEAD = 2;

/** More would save hardly a command, and would leave more to recover after a crash. */
const MAX_AHEAD = 200;

/** One worker holds at most so many: a claim and a recovery of them are still quick. */
const MAX_HELD = 1000;

/** The pace is that of so many endings, or of twice as many as run at a time: those that began together may end so. */
const MIN_ENDINGS = 10;

/** The longest that an outcome waits for others. Short beside what calling for a job costs; long beside a write. */
const MAX_GATHER_MS = 15;

/** So large a share of what runs is worth a write of its own. */
const WRITE_SHARE = 1 / 4;

/** `ranMs`: for how long something ran. `slotsMs`: the same, by the share of the slots that were taken. */
interface Moment {
  readonly ranMs: number;
  readonly slotsMs: number;
}

/**
 * The pace at which attempts ended lately. It decides how many jobs are claimed ahead, and how long an outcome waits for
 * others to be written with it. So jobs of some milliseconds, many at a time, share their commands, and neither a lone job
 * nor a long one notices.
 *
 * For claims, time counts as far as slots are taken, half while half of them are: slots that stand empty, since a claim is
 * slow, say nothing about the jobs. For outcomes, time counts while something runs.
 */
export class Pace {
  /** When each of the last endings was, by `#now`, the oldest at `#count % #size`. */
  readonly #endings: Moment[] = [];
  readonly #size: number;
  #count = 0;
  #running = 0;
  /** When an attempt began or ended last, by `performance.now()` and by its own clocks. */
  #changed = { at: 0, now: { ranMs: 0, slotsMs: 0 } };
  /** How long claims take. */
  #claimMs = 0;

  /** @param maxThreads how many attempts run at a time */
  constructor(private readonly maxThreads: number) {
    this.#size = Math.max(MIN_ENDINGS, 2 * maxThreads);
  }

  /** An attempt has got a slot. */
  began(): void {
    this.#change(1);
  }

  /** Its slot is free again. */
  ended(): void {
    this.#endings[this.#count % this.#size] = this.#change(-1);
    this.#count += 1;
  }

  /** A claim took so long. */
  claimTook(ms: number): void {
    this.#claimMs = (this.#claimMs + ms) / 2;
  }

  /** The pace is another one now, and not known. */
  forget(): void {
    this.#count = 0;
  }

  /**
   * Returns how many jobs may wait for a slot: as many as should begin within 20 ms, or while two claims are made; none until
   * the pace is known. Of jobs that take longer than about 80 ms none is taken before there is a slot for it: another worker
   * could begin it sooner.
   *
   * @param share the most, where others claim as well: what waits here, more urgent jobs have to wait for
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
   * Returns how long outcomes should go on to wait for others, in milliseconds; 0 when enough have ended, when few attempts
   * run, or when they end far apart.
   *
   * @param waiting how many outcomes wait
   * @param waitedMs how long the first of them has waited
   * @param held how many attempts are not written, those that wait included
   */
  gatherMs(waiting: number, waitedMs: number, held: number): number {
    if (waiting >= held * WRITE_SHARE || this.#meanGap('ranMs') >= MAX_GATHER_MS) return 0;
    return Math.max(0, MAX_GATHER_MS - waitedMs);
  }

  /** The mean time between two of the last endings, by one of its clocks; infinite until there were two. */
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
