/** Work under way that somebody has to wait for in the end. The work must never reject. */
export class UnderWay {
  readonly #work = new Set<Promise<void>>();

  add(work: Promise<void>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  /** Resolves once the work that is under way now is done. */
  async end(): Promise<void> {
    await Promise.all(this.#work);
  }
}
