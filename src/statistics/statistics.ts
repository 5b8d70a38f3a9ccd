import type { Collection, Db } from 'mongodb';
import type { Connected } from '../mongo/connected.js';
import type { LimitWaits, StatisticsOptions, StatisticsPoint, WaitsOptions } from './find-statistics.js';
import type { StatisticsDocument } from './statistics-document.js';

/** The outcomes of attempts, minute by minute, and how jobs waited for limits. */
export class Statistics {
  constructor(
    private readonly db: Db,
    private readonly collections: Connected<{ readonly statistics: Collection<StatisticsDocument> }>,
  ) {}

  /**
   * Returns how many attempts ended recently (`since`, default an hour), and how. There is one point per `step`
   * (default a minute), oldest first, even without counts. `jobName` selects one kind of job. The last point ends with
   * the current minute, and each covers a whole step. If the steps do not divide the time evenly, the first begins
   * earlier.
   *
   * Workers count as they settle, and write the counts each minute and at the end of a drain. So a point may be a
   * minute late, and the last counts of a crashed worker are lost. Counts are kept for 8 days, by the database's
   * minutes. A minute has at most 100 job names. Further names count only in the total.
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
    return findWaits(this.db, (await this.collections()).statistics, options);
  }
}
