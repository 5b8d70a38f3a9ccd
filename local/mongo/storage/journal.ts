/** The changes of one statement. They are undone if the statement must wait half-way. */
export class Journal {
  readonly #changes: (() => void)[] = [];

  /** Notes how a change is undone. */
  record(undo: () => void): void {
    this.#changes.push(undo);
  }

  /** Undoes the changes, beginning with the last. */
  rollBack(): void {
    for (const undo of this.#changes.reverse()) undo();
    this.#changes.length = 0;
  }
}
