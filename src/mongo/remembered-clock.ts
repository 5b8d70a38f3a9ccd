import type { Db } from 'mongodb';
import { serverTime } from './server-time.js';

/** How long a difference is remembered. Clocks that are kept in step hardly drift in that time. */
const REMEMBERED_MS = 10 * 60 * 1000;

/** A larger difference is not remembered, since one of the clocks is not kept in step, and may be set any time. */
const MAX_REMEMBERED_OFFSET_MS = 60_000;

/**
 * Tells the database's time from this process's clock and the difference that was read last, for what decides nothing,
 * such as where a chart ends. Costs a command every 10 minutes.
 */
export class RememberedClock {
  #offsetMs = 0;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly db: Db) {}

  /** Returns the database's time, in milliseconds since 1970. @throws the driver's errors */
  async now(): Promise<number> {
    const sinceRead = Date.now() - this.#readAt;
    if (sinceRead >= 0 && sinceRead < REMEMBERED_MS) return Date.now() + this.#offsetMs;
    const now = (await serverTime(this.db)).getTime();
    const offsetMs = now - Date.now();
    this.#offsetMs = offsetMs;
    this.#readAt = Math.abs(offsetMs) > MAX_REMEMBERED_OFFSET_MS ? Number.NEGATIVE_INFINITY : Date.now();
    return now;
  }
}
