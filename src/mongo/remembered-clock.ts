import type { Db } from 'mongodb';
import { serverTime } from './server-time.js';

/** How long a difference is remembered. Clocks that are kept in step hardly drift in that time. */
const REMEMBERED_MS = 10 * 60 * 1000;

/**
 * Tells the database's time from this process's clock and the difference that was read last, for what decides nothing,
 * such as where a chart ends. Costs a command every 10 minutes.
 */
export class RememberedClock {
  #offsetMs = 0;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly db: Db) {}

  /** @throws the driver's errors */
  async now(): Promise<number> {
    const sinceRead = Date.now() - this.#readAt;
    if (sinceRead >= 0 && sinceRead < REMEMBERED_MS) return Date.now() + this.#offsetMs;
    const now = (await serverTime(this.db)).getTime();
    this.#readAt = Date.now();
    this.#offsetMs = now - this.#readAt;
    return now;
  }
}
