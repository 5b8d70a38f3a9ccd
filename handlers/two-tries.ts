import { withinTime } from '../src/mongo/within-time.js';

/** Of a kick: the caller waits, and a container that has answered is frozen. So much in all, once the client is loaded. */
const LIMITS = { keptMs: 500, allMs: 1_000 };

/** A client of an AWS service. */
interface Client {
  /** Closes its connections. */
  destroy(): void;
}

/** A client that was made, and whether something was sent by it: then it keeps connections. */
interface Kept<Sender> {
  readonly client: Promise<Sender>;
  wasUsed: boolean;
}

type Request<Sender, Answer> = (client: Sender, signal: AbortSignal) => Promise<Answer>;

/**
 * Sends requests by one client that it keeps and, when that fails, once more by a new one. The connections that a client
 * keeps may have died while the container was frozen, all of them, with a reset or without a word: a second try by the
 * same client may meet the next dead one.
 */
export class TwoTries<Sender extends Client> {
  #kept: Kept<Sender> | undefined;

  /** @param limits `keptMs`: for a try by a client that was used before; `allMs`: for both */
  constructor(
    private readonly connect: () => Promise<Sender>,
    private readonly limits = LIMITS,
  ) {}

  /** @throws what the second try throws, within the limit once the client is loaded */
  async send<Answer>(request: Request<Sender, Answer>): Promise<Answer> {
    const kept = this.#client();
    await kept.client;
    const giveUpAt = performance.now() + this.limits.allMs;
    try {
      return await this.#try(kept, request, kept.wasUsed ? this.limits.keptMs : this.limits.allMs);
    } catch (error) {
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0) throw error;
      return await this.#try(this.#client(), request, leftMs);
    }
  }

  #client(): Kept<Sender> {
    if (this.#kept) return this.#kept;
    const kept = { client: this.connect(), wasUsed: false };
    this.#kept = kept;
    kept.client.catch(() => this.#forget(kept));
    return kept;
  }

  /** Others that were sending by it may have forgotten it before. */
  #forget(kept: Kept<Sender>): void {
    if (this.#kept === kept) this.#kept = undefined;
  }

  async #try<Answer>(kept: Kept<Sender>, request: Request<Sender, Answer>, ms: number): Promise<Answer> {
    const client = await kept.client;
    try {
      const answer = await stoppedAfter(ms, (signal) => request(client, signal));
      kept.wasUsed = true;
      return answer;
    } catch (error) {
      this.#forget(kept);
      client.destroy();
      throw error;
    }
  }
}

/** The signal stops a request; that its answer is not awaited also ends a wait for credentials. */
async function stoppedAfter<Answer>(
  ms: number,
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const controller = new AbortController();
  try {
    return await withinTime(ms, send(controller.signal), 'AWS');
  } catch (error) {
    controller.abort(error);
    throw error;
  }
}
