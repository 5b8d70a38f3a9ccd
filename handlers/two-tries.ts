import { withinTime } from '../src/mongo/within-time.js';

/** The limits of a kick, once the client is loaded. The caller waits, and a container that has answered is frozen. */
const LIMITS = { keptMs: 500, allMs: 1_000 };

interface Client {
  /** Closes its connections. */
  destroy(): void;
}

/** A client, and whether it has sent something and so keeps connections. */
interface Kept<Sender> {
  readonly client: Promise<Sender>;
  wasUsed: boolean;
}

type Request<Sender, Answer> = (client: Sender, signal: AbortSignal) => Promise<Answer>;

/**
 * Sends requests with one client that it keeps, and tries once more with a new one. While the container was frozen, all
 * connections of a client may have died, with a reset or silently. So a second try with the same client may meet the next
 * dead one.
 */
export class TwoTries<Sender extends Client> {
  #kept: Kept<Sender> | undefined;

  /** @param limits `keptMs` is for a try with a used client, `allMs` for both tries */
  constructor(
    private readonly connect: () => Promise<Sender>,
    private readonly limits = LIMITS,
  ) {}

  /** Sends a request. @throws the error of the second try, within the limit once the client is loaded */
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

  /** Forgets a client, unless another call did so before. */
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

/** Stops a request after some time, by a signal. Also stops waiting for it, which ends a wait for credentials. */
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
