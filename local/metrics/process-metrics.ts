import type { Db } from 'mongodb';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { rememberedFor } from '../../handlers/remembered-for.js';
import { ServerClock } from '../../src/mongo/server-clock.js';
import { type Measured, measureAttempts } from './attempt-metrics.js';
import { type Asked, measureDatabase } from './database-metrics.js';

/** The time after which the database's clock is read again. Until then, this machine's clock counts on, and may drift. */
const CLOCK_TRUSTED_MS = 10 * 60_000;

/** The metrics of a process, in the text format of Prometheus. */
export class ProcessMetrics {
  readonly #registry = new Registry();
  readonly #readDatabase: () => Promise<void>;

  /** Begins to count. */
  constructor(processor: Measured & Asked, db: Db) {
    const clock = rememberedFor(CLOCK_TRUSTED_MS, async () => new ServerClock(db));
    const now = async () => (await clock()).now();
    collectDefaultMetrics({ register: this.#registry });
    measureAttempts(processor, [this.#registry], now);
    this.#readDatabase = measureDatabase(processor, [this.#registry], now);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    await this.#readDatabase();
    return this.#registry.metrics();
  }
}
