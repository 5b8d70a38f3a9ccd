/**
 * Lets any number of wakers wake a single waiter. `wait` resolves at the next `wake`, or at once if there was one since
 * the last wait. So nothing between two waits is missed.
 */
export class Wakeup {
  #woken = false;
  #resolve: (() => void) | undefined;

  readonly wake = (): void => {
    this.#woken = true;
    this.#resolve?.();
  };

  async wait(): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#woken = false;
    this.#resolve = undefined;
  }
}
