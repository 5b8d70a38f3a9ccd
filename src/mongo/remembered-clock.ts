import type { Db } from 'mongodb';
import { serverTime } from './server-time.js';

/** How long a difference is remembered. Synchronized clocks hardly drift in that time. */
const REMEMBERED_MS = 10 * 60 * 1000;

/**
 * The largest difference that is remembered. With a larger one, one of the clocks is not synchronized, and may be set at any
 * time.
 */
const MAX_REMEMBERED_OFFSET_MS = 60_000;

/**
 * Estimates the database's time by this process's clock and the last known difference. Use it only where nothing depends on it,
 * such as the end of a chart. Costs a command every 10 minutes.
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
