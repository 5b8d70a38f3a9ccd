import { countWrongKey, type WrongKeyCount } from '../../src/access/count-wrong-key.js';
import { connectedCollections, type WithCollections } from '../../src/collections/connected-collections.js';
import type { Logger } from '../../src/index.js';
import { withinTime } from '../../src/mongo/within-time.js';

/** A wrong key is refused whether it could be counted or not: its sender waits no longer than this for it. */
const MAX_COUNTING_MS = 2_000;

/** Of addresses that are known to be past their limit: more than so many are forgotten, and asked for again. */
const MAX_KNOWN = 1_000;

/**
 * Counts wrong keys by the address that they come from, in the API and at the sign-in together. A right key is never
 * counted, nor kept out by wrong ones: many may stand behind one proxy.
 */
export class WrongKeys {
  /** Until when, by `performance.now()`: an address that is past its limit costs the database nothing more. */
  readonly #limited = new Map<string, number>();

  constructor(
    private readonly processor: WithCollections,
    private readonly log: Logger,
  ) {}

  /** Counts one. Gives for how many milliseconds its address is past its limit; undefined while it is not. */
  async count(address: string): Promise<number | undefined> {
    const leftMs = (this.#limited.get(address) ?? 0) - performance.now();
    if (leftMs > 0) return leftMs;
    const counting = this.#count(address);
    const counted = await withinTime(MAX_COUNTING_MS, counting).catch((error: unknown) => {
      this.log.warn('A wrong key could not be counted', { address, error: String(error) });
    });
    if (counted?.kind !== 'limited') return undefined;
    if (this.#limited.size >= MAX_KNOWN) this.#limited.clear();
    this.#limited.set(address, performance.now() + counted.retryAfterMs);
    return counted.retryAfterMs;
  }

  async #count(address: string): Promise<WrongKeyCount> {
    return countWrongKey((await this.processor[connectedCollections]()).wrongKeys, address);
  }
}
