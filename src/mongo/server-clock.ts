import type { Db } from 'mongodb';
import { serverTime } from './server-time.js';

/**
 * The database's clock, read once and then carried on: for statements that cannot say `$$NOW`. It is never ahead of the
 * database, for what it reads has passed there by then.
 */
export class ServerClock {
  #read: Promise<{ readonly time: number; readonly at: number }> | undefined;

  constructor(private readonly db: Db) {}

  /** The first call costs a command, and so does the next after a failure. @throws what the driver throws */
  async now(): Promise<Date> {
    this.#read ??= this.#readOnce();
    const { time, at } = await this.#read;
    return new Date(Math.floor(time + performance.now() - at));
  }

  async #readOnce() {
    try {
      const time = await serverTime(this.db);
      return { time: time.getTime(), at: performance.now() };
    } catch (error) {
      this.#read = undefined;
      throw error;
    }
  }
}
