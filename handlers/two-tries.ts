import { withinTime } from '../src/mongo/within-time.js';

/**
 * Time limits of a kick once the client is loaded, in milliseconds. They are short, since the caller waits, and a
 * container is frozen once it has answered.
 */
const LIMITS = { keptMs: 500, allMs: 1_000 };

interface Client {
  /** Closes the client's connections. */
  destroy(): void;
}

/** A client, and whether it has sent a request. If so, it may keep connections. */
interface Kept<Sender> {
  readonly client: Promise<Sender>;
  wasUsed: boolean;
}

type Request<Sender, Answer> = (client: Sender, signal: AbortSignal) => Promise<Answer>;

/**
 * Sends requests with a kept client, and retries once with a new client. While the container was frozen, all
 * connections of the kept client may have died. So a retry with that client might use another dead connection.
 */
export class TwoTries<Sender extends Client> {
  #kept: Kept<Sender> | undefined;

  /**
   * Makes clients with `connect` when they are needed.
   * @param limits `keptMs` applies to a try with a used client, `allMs` to both tries together
   */
  constructor(
    private readonly connect: () => Promise<Sender>,
    private readonly limits = LIMITS,
  ) {}

  /** Sends a request. @throws the error of the last try */
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

  /** Forgets a client, unless another call has already replaced it. */
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

/**
 * Aborts a request by a signal after some time. Also stops waiting for the request, since it may not heed the signal
 * while it waits for credentials.
 */
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
