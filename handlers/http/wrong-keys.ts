import { connectedCollections, type WithCollections } from '../../src/collections/connected-collections.js';
import type { Logger } from '../../src/index.js';
import { withinTime } from '../../src/mongo/within-time.js';
import { countWrongKey, type WrongKeyCount } from '../../src/sign-in/count-wrong-key.js';

/** How long a request with a wrong key waits for the count, in milliseconds. The key is refused in any case. */
const MAX_COUNTING_MS = 2_000;

/**
 * Maximum number of remembered addresses over their limit. When there are more, all are forgotten and looked up again.
 */
const MAX_KNOWN = 1_000;

/**
 * Counts wrong keys by address, for the API and the sign-in together. A valid key is never counted. It is never refused
 * because of wrong keys either, since many people may share one proxy.
 */
export class WrongKeys {
  /**
   * Moment until which each address is over its limit, by `performance.now()`. These addresses cost no further database
   * commands.
   */
  readonly #limited = new Map<string, number>();

  constructor(
    private readonly processor: WithCollections,
    private readonly log: Logger,
  ) {}

  /** Counts a wrong key. Returns for how many milliseconds its address is over the limit, or undefined if it is not. */
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
