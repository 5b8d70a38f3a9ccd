import type { Collection } from './collection.js';

/** What one statement changed, so that one that must wait half-way leaves nothing behind. */
export class Journal {
  readonly #changes: { collection: Collection; id: number; before: string | undefined }[] = [];

  /** Notes what a record was before a change. */
  record(collection: Collection, id: number, before: string | undefined): void {
    this.#changes.push({ collection, id, before });
  }

  /** Undoes the changes, the last first. */
  rollBack(): void {
    for (const { collection, id, before } of this.#changes.reverse()) collection.put(id, before);
    this.#changes.length = 0;
  }
}
