import type { Logger } from '../src/index.js';
import { Wakeup } from '../src/worker/wakeup.js';

/**
 * Replaces EventBridge: takes a turn, waits for the interval or a nudge, and repeats until it is stopped. A
 * failed turn is logged, and the loop goes on.
 */
export class Loop {
  #aliveAt = performance.now();
  readonly #stopping = new AbortController();
  readonly #wakeup = new Wakeup();
  readonly #ended: Promise<void>;

  constructor(
    readonly name: string,
    private readonly turn: (stop: AbortSignal) => Promise<unknown>,
    private readonly intervalMs: number,
    private readonly log: Logger,
  ) {
    this.#ended = this.#run();
  }

  /** Takes the next turn now. */
  readonly nudge = (): void => this.#wakeup.wake();

  /** Notes a sign of life of the turn under way. */
  readonly noteLife = (): void => {
    this.#aliveAt = performance.now();
  };

  /** The time in milliseconds since the last sign of life: the beginning or the end of a turn, or a call of `noteLife`. */
  get silentMs(): number {
    return performance.now() - this.#aliveAt;
  }

  /** Tells the turn under way to stop, and resolves when it has stopped. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wakeup.wake();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#takeTurn();
      if (this.#stopping.signal.aborted) return;
      const timer = setTimeout(this.#wakeup.wake, this.intervalMs);
      await this.#wakeup.wait();
      clearTimeout(timer);
    }
  }

  async #takeTurn(): Promise<void> {
    this.noteLife();
    try {
      await this.turn(this.#stopping.signal);
    } catch (error) {
      this.log.error(`A turn of '${this.name}' failed`, { error: String(error) });
    }
    this.noteLife();
  }
}
