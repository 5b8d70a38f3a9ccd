import type { Collection, Db } from 'mongodb';
import ms from 'ms';
import type { Logger } from '../log.js';
import { byId } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import { serverTime } from '../mongo/server-time.js';
import { HOUR_MS, type StatisticsDocument } from './statistics-document.js';
import { Sums } from './sums.js';

/** How long the sums of hours are kept. */
const KEPT_MS = ms('90 days');

/**
 * How long after its end an hour is added up. A write counts for its minute only up to 5 s after the minute, by the database's
 * clock. The rest is for writes that the database delays.
 */
export const GRACE_MS = ms('2 minutes');

/**
 * Maximum number of hours that one call adds up. After an update, or a pause of all schedulers, there are up to 8 days of them.
 */
const MAX_HOURS = 24;

/** The collections of statistics by minute and by hour. */
export interface StatisticsCollections {
  readonly statistics: Collection<StatisticsDocument>;
  readonly statisticsHours: Collection<StatisticsDocument>;
}

/**
 * Adds up the minutes of each hour that is over, whatever version of the workers wrote them. The sum of an hour is made once
 * and never changed. So any number of processes may make it at once, and a crash leaves nothing half done. Hours are added up
 * in order. An hour without minutes has no sum. So the sums cover all minutes before the end of the last hour with a sum.
 */
export class HourRollUp {
  /** When the next hour is over, by `performance.now()`. */
  #dueAt = 0;

  constructor(
    private readonly db: Db,
    private readonly collections: Connected<StatisticsCollections>,
    private readonly log: Logger,
  ) {}

  /**
   * Adds up the hours that are over. Costs nothing except once per hour. A failure is only logged, since the next call tries
   * again.
   */
  async ifDue(): Promise<void> {
    if (performance.now() < this.#dueAt) return;
    try {
      const now = (await serverTime(this.db)).getTime();
      const isDone = await rollUpHours(await this.collections(), now);
      if (isDone) this.#dueAt = performance.now() + HOUR_MS - ((now - GRACE_MS) % HOUR_MS);
    } catch (error) {
      this.log.warn('The statistics of an hour could not be added up', { error: String(error) });
    }
  }
}

/** Adds up hours, the oldest first. Returns whether all hours that are over have their sums. */
export async function rollUpHours(collections: StatisticsCollections, now: number): Promise<boolean> {
  const end = startOfHour(now - GRACE_MS);
  let from = (await lastHour(collections, end)) + HOUR_MS;
  for (let count = 0; count < MAX_HOURS; count += 1) {
    const hour = await nextHour(collections, from, end);
    if (hour === undefined) return true;
    await rollUp(collections, hour);
    from = hour + HOUR_MS;
  }
  return false;
}

async function rollUp({ statistics, statisticsHours }: StatisticsCollections, hour: number): Promise<void> {
  const sums = new Sums();
  const minutes = { _id: { $gte: new Date(hour), $lt: new Date(hour + HOUR_MS) } };
  for await (const minute of statistics.find(minutes)) sums.add(minute);
  const stored = { ...sums.toStored(), written: new Date(), expireAt: new Date(hour + KEPT_MS) };
  await statisticsHours.updateOne(
    { _id: new Date(hour) },
    { $setOnInsert: stored },
    { upsert: true, ...byId },
  );
}

/** Returns the beginning of the last hour that was added up. If there is none, returns the hour before 1970. */
async function lastHour({ statisticsHours }: StatisticsCollections, end: number): Promise<number> {
  const last = await statisticsHours.findOne(
    { _id: { $lt: new Date(end) } },
    { sort: { _id: -1 }, projection: { _id: 1 }, ...byId },
  );
  return last ? last._id.getTime() : -HOUR_MS;
}

/** Returns the first hour that has minutes. */
async function nextHour(
  { statistics }: StatisticsCollections,
  from: number,
  end: number,
): Promise<number | undefined> {
  const first = await statistics.findOne(
    { _id: { $gte: new Date(from), $lt: new Date(end) } },
    { sort: { _id: 1 }, projection: { _id: 1 }, ...byId },
  );
  return first ? startOfHour(first._id.getTime()) : undefined;
}

function startOfHour(time: number): number {
  return time - (time % HOUR_MS);
}
