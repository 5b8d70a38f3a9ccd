import type { Db } from 'mongodb';
import { serverTime } from './server-time.js';

/**
 * The database's clock, read once and then carried on: for statements that cannot say `$$NOW`. It is never ahead of the
 * database, for what it reads has passed there by then.
 */
export class ServerClock {
  #read: { readonly time: number; readonly at: number } | undefined;

  constructor(private readonly db: Db) {}

  /** The first call costs a command. @throws what the driver throws */
  async now(): Promise<Date> {
    this.#read ??= { time: (await serverTime(this.db)).getTime(), at: performance.now() };
    return new Date(Math.floor(this.#read.time + performance.now() - this.#read.at));
  }
}
