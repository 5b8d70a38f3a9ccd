import { connectedCollections, type WithCollections } from '../../src/collections/connected-collections.js';
import type { Logger } from '../../src/index.js';
import { withinTime } from '../../src/mongo/within-time.js';
import { countWrongKey, type WrongKeyCount } from '../../src/sign-in/count-wrong-key.js';

/** How long the sender of a wrong key waits for the count. The key is refused whether it was counted or not. */
const MAX_COUNTING_MS = 2_000;

/** The most addresses remembered as past their limit. When there are more, all are forgotten and looked up again. */
const MAX_KNOWN = 1_000;

/**
 * Counts wrong keys by their address, in the API and at the sign-in together. A right key is never counted, nor kept out by
 * wrong ones, since many people may stand behind one proxy.
 */
export class WrongKeys {
  /** Until when each address is past its limit, by `performance.now()`. Such an address costs the database nothing more. */
  readonly #limited = new Map<string, number>();

  constructor(
    private readonly processor: WithCollections,
    private readonly log: Logger,
  ) {}

  /** Counts one wrong key. Returns for how many milliseconds its address is past its limit, or undefined if it is not. */
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
