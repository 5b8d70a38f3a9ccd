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
 * How long after its end an hour is added up. Writes count for their minute only up to 5 s after it, by the database's clock.
 * This leaves time for a write that the database delays.
 */
export const GRACE_MS = ms('2 minutes');

/** Hours that one call adds up. After an update, or a pause of all schedulers, there are up to 8 days of them. */
const MAX_HOURS = 24;

/** The documents of minutes, and of hours. */
export interface StatisticsCollections {
  readonly statistics: Collection<StatisticsDocument>;
  readonly statisticsHours: Collection<StatisticsDocument>;
}

/**
 * Adds up the minutes of each hour that is over. The sum of an hour is the sum of its minutes, whatever version of the
 * workers wrote them. It is made once and never changed, so that any number of processes may make it at once, and a
 * crash leaves nothing half done. Hours are added up in order, and an hour without minutes has none. So all minutes before the
 * end of the last hour are in hours.
 */
export class HourRollUp {
  /** When the next hour is over, by `performance.now()`. */
  #dueAt = 0;

  constructor(
    private readonly db: Db,
    private readonly collections: Connected<StatisticsCollections>,
    private readonly log: Logger,
  ) {}

  /** Adds up what is over. Costs nothing but once per hour. Only logs a failure, since the next call tries again. */
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

/** Adds up hours, the oldest first. Returns whether all that are over are done. */
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

/** Returns the beginning of the last hour that was added up. Without one, returns the hour before 1970. */
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
