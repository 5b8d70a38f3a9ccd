/** Collects work that has begun, so that somebody can wait for its end. The work must never reject. */
export class PendingWork {
  readonly #work = new Set<Promise<void>>();

  add(work: Promise<void>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  /** Resolves once the work collected until now is done. */
  async end(): Promise<void> {
    await Promise.all(this.#work);
  }
}
