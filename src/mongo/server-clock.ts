import type { Db } from 'mongodb';
import { serverTime } from './server-time.js';

/**
 * Continues the database's clock after one reading, for statements that cannot use `$$NOW`. It is never ahead of the database:
 * when the reading arrives, the database's clock has already moved on.
 */
export class ServerClock {
  #read: Promise<{ readonly time: number; readonly at: number }> | undefined;

  constructor(private readonly db: Db) {}

  /** Returns the database's time. Costs a command at the first call and after a failure. @throws the driver's errors */
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
