import type { Collection } from './collection.js';

/** The changes of one statement, so that one that must wait half-way leaves nothing behind. */
export class Journal {
  readonly #changes: { collection: Collection; id: number; before: string | undefined }[] = [];

  /** Notes the version of a record before a change. */
  record(collection: Collection, id: number, before: string | undefined): void {
    this.#changes.push({ collection, id, before });
  }

  /** Undoes the changes, beginning with the last. */
  rollBack(): void {
    for (const { collection, id, before } of this.#changes.reverse()) collection.put(id, before);
    this.#changes.length = 0;
  }
}
