import type { Db } from 'mongodb';
import type { Connected } from '../mongo/connected.js';
import { RememberedClock } from '../mongo/remembered-clock.js';
import type { KindStatistics, KindsOptions } from './find-kinds.js';
import type { StatisticsRange, StatisticsRangeOptions } from './find-range.js';
import type { LimitWaits, StatisticsOptions, StatisticsPoint, WaitsOptions } from './find-statistics.js';
import type { StatisticsCollections } from './roll-up-hours.js';

/** The outcomes of attempts, minute by minute, and how jobs waited for limits. */
export class Statistics {
  readonly #clock: RememberedClock;

  constructor(
    private readonly db: Db,
    private readonly collections: Connected<StatisticsCollections>,
  ) {
    this.#clock = new RememberedClock(db);
  }

  /**
   * Returns how many attempts ended recently (`since`, default an hour), and how. There is one point per `step`
   * (default a minute), oldest first, even without counts. `jobName` selects one kind of job. The last point ends with
   * the current minute, and each covers a whole step. If the steps do not divide the time evenly, the first begins
   * earlier.
   *
   * Workers count as they settle, and write the counts each minute and at the end of a drain. So a point may be a
   * minute late, and the last counts of a crashed worker are lost. Counts are kept for 8 days, by the database's
   * minutes. A minute has at most 500 job names. Further names count only in the total.
   *
   * @throws ValidationError for invalid options
   */
  async get(options: StatisticsOptions = {}): Promise<StatisticsPoint[]> {
    const { findStatistics } = await import('./find-statistics.js');
    return findStatistics(this.db, (await this.collections()).statistics, options);
  }

  /**
   * Returns how many times jobs waited for limits recently (`since`, default an hour), and for how long in all, by name of
   * limit. `import` counts the waits for `import=acme` and for all other keys. The longest in all comes first.
   *
   * A wait is counted when it ends, and for a rate limit when the job is put off, as long as it is put off. A job that
   * waits for several limits, or several times, is counted each time. The counts are written and kept as those of `get`.
   *
   * @throws ValidationError for invalid options
   * @example
   * const [longest] = await processor.statistics.waits({ since: '1d' });
   */
  async waits(options: WaitsOptions = {}): Promise<LimitWaits[]> {
    const { findWaits } = await import('./find-statistics.js');
    return findWaits(this.db, await this.collections(), options);
  }

  /**
   * Returns how attempts ended in a range of time up to now (`range`, default an hour), of all jobs or of one kind (`jobName`),
   * in steps for a chart. For one kind also the percentiles of how long its jobs ran and waited. Steps begin on the
   * hour, minute or so on, in UTC.
   *
   * A scheduler adds up the minutes of each hour, and the sums are kept for 90 days. So a day reads about 80 documents.
   * Without a scheduler, the minutes are read. A percentile is off by at most a factor of 1.41.
   *
   * @throws ValidationError for invalid options
   * @example
   * const { run } = await processor.statistics.range({ range: '24h', jobName: 'charge' });
   * run?.p95; // 1240, in milliseconds
   */
  async range(options: StatisticsRangeOptions = {}): Promise<StatisticsRange> {
    const { findRange } = await import('./find-range.js');
    const collections = await this.collections();
    return findRange(await this.#clock.now(), collections, options);
  }

  /**
   * Returns how the attempts of each kind of jobs ended in a range of time up to now (`range`, default an hour), and how
   * long its jobs ran and waited. The kinds with the most failed attempts come first. Kinds without attempts are left out. A
   * minute, and an hour, has at most 500 kinds. Further ones count only in the total.
   *
   * @throws ValidationError for invalid options
   * @example
   * const [worst] = await processor.statistics.kinds({ range: '24h' });
   */
  async kinds(options: KindsOptions = {}): Promise<KindStatistics[]> {
    const { findKinds } = await import('./find-kinds.js');
    const collections = await this.collections();
    return findKinds(await this.#clock.now(), collections, options);
  }
}
