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
   * Returns the numbers and outcomes of attempts that ended recently (`since`, default an hour). There is one point per `step`
   * (default a minute), oldest first, even without counts. `jobName` selects one kind of job. Each point covers a whole step.
   * The last one ends with the current minute. If the steps do not divide the time evenly, the first begins earlier.
   *
   * Workers count as they settle, and write the counts each minute and at the end of a drain. So a point may be a minute late,
   * and the last counts of a crashed worker are lost. Counts are kept for 8 days, by the database's minutes. A minute has at
   * most 500 job names. Further names count only in the total.
   *
   * @throws ValidationError for invalid options
   */
  async get(options: StatisticsOptions = {}): Promise<StatisticsPoint[]> {
    const { findStatistics } = await import('./find-statistics.js');
    return findStatistics(this.db, (await this.collections()).statistics, options);
  }

  /**
   * Returns the number and total duration of jobs' recent waits for limits (`since`, default an hour), by name of limit.
   * `import` counts the waits for `import=acme` and for all other keys. The longest total comes first.
   *
   * A wait is counted when it ends. A wait for a rate limit is counted with its whole duration when the job is put off. A job
   * that waits for several limits, or several times, is counted each time. The counts are written and kept like those of `get`.
   *
   * @throws ValidationError for invalid options
   * @example const [longest] = await processor.statistics.waits({ since: '1d' });
   */
  async waits(options: WaitsOptions = {}): Promise<LimitWaits[]> {
    const { findWaits } = await import('./find-statistics.js');
    return findWaits(this.db, await this.collections(), options);
  }

  /**
   * Returns the outcomes of attempts in a range of time up to now (`range`, default an hour), in steps for a chart. They are
   * those of all jobs or of one kind (`jobName`). For one kind, also returns percentiles: how long its jobs ran, and how long
   * they waited. Steps begin at whole multiples of their length, in UTC.
   *
   * A scheduler adds up the minutes of each hour. The sums are kept for 90 days. So a day reads about 80 documents. Without a
   * scheduler, it reads all minutes. A percentile is off by at most a factor of 1.41.
   *
   * @throws ValidationError for invalid options
   * @example const { run } = await processor.statistics.range({ range: '24h', jobName: 'charge' }); run?.p95; // 1240, in
   * milliseconds
   */
  async range(options: StatisticsRangeOptions = {}): Promise<StatisticsRange> {
    const { findRange } = await import('./find-range.js');
    const collections = await this.collections();
    return findRange(await this.#clock.now(), collections, options);
  }

  /**
   * Returns the outcomes of attempts of each kind of jobs in a range of time up to now (`range`, default an hour). Also returns
   * how long its jobs ran and waited. The kinds with the most failed attempts come first. Kinds without attempts are left out.
   * Each minute and each hour has at most 500 kinds. Further kinds count only in the total.
   *
   * @throws ValidationError for invalid options
   * @example const [worst] = await processor.statistics.kinds({ range: '24h' });
   */
  async kinds(options: KindsOptions = {}): Promise<KindStatistics[]> {
    const { findKinds } = await import('./find-kinds.js');
    const collections = await this.collections();
    return findKinds(await this.#clock.now(), collections, options);
  }
}
