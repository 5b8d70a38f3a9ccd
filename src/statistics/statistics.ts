import type { Db } from 'mongodb';
import type { ConnectedCollections } from '../mongo/connected-collections.js';
import type { StatisticsOptions, StatisticsPoint } from './find-statistics.js';

/** What became of attempts, minute by minute. */
export class Statistics {
  constructor(
    private readonly db: Db,
    private readonly collections: ConnectedCollections,
  ) {}

  /**
   * How many attempts ended, and how, of the last time (`since`, default an hour): one point for each `step` (default a
   * minute), the oldest first, also where nothing was counted. Of one kind of job with `jobName`. They end with the minute
   * under way, and each is a whole step: where steps do not go into the time without a rest, the first begins earlier.
   *
   * Workers count as they settle, and write that down at the end of a drain and each minute while it goes on: so a point
   * may be a minute late, and what a crashed worker counted last is not in it. Kept for 8 days, by the database's minutes.
   * A minute has at most 100 job names: those that come later are counted among all jobs only.
   *
   * @throws ValidationError for options that are none
   */
  async get(options: StatisticsOptions = {}): Promise<StatisticsPoint[]> {
    const { findStatistics } = await import('./find-statistics.js');
    return findStatistics(this.db, (await this.collections()).statistics, options);
  }
}
