import type { OrderedIndex } from './ordered-index.js';
import type { IndexCursor } from './view.js';

/** Walks one index. Uses the tree's iterator while the index is unchanged, and otherwise finds its place again. */
export class TreeCursor implements IndexCursor {
  readonly #index: OrderedIndex;
  readonly #forward: boolean;
  #current: string | undefined;
  #entries: Iterator<[string, undefined]> | undefined;
  #version = -1;

  constructor(index: OrderedIndex, forward: boolean) {
    this.#index = index;
    this.#forward = forward;
  }

  seek(key: string): string | undefined {
    this.#entries = undefined;
    this.#current = this.#index.seek(key, this.#forward);
    return this.#current;
  }

  next(): string | undefined {
    if (this.#current === undefined) return undefined;
    if (this.#version !== this.#index.version) this.#entries = undefined;
    if (this.#entries === undefined) return this.#reopen(this.#current);
    return this.#take(this.#entries);
  }

  /** Takes the first step by a plain look-up. Most scans end after one step, and opening an iterator costs more. */
  #reopen(current: string): string | undefined {
    this.#version = this.#index.version;
    this.#current = this.#index.after(current, this.#forward);
    if (this.#current !== undefined) {
      this.#entries = this.#index.entriesFrom(this.#current, this.#forward);
      this.#entries.next();
    }
    return this.#current;
  }

  #take(entries: Iterator<[string, undefined]>): string | undefined {
    const { value, done } = entries.next();
    this.#current = done ? undefined : value[0];
    return this.#current;
  }
}

/** Merges two scans into one: a transaction's own entries, and the committed entries that the transaction still sees. */
export class MergedCursor implements IndexCursor {
  readonly #parts: readonly IndexCursor[];
  readonly #heads: (string | undefined)[] = [];
  readonly #forward: boolean;

  constructor(parts: readonly IndexCursor[], forward: boolean) {
    this.#parts = parts;
    this.#forward = forward;
  }

  seek(key: string): string | undefined {
    this.#parts.forEach((part, i) => {
      this.#heads[i] = part.seek(key);
    });
    return this.#heads[this.#least()];
  }

  next(): string | undefined {
    const least = this.#least();
    this.#heads[least] = this.#parts[least]?.next();
    return this.#heads[this.#least()];
  }

  #least(): number {
    const [a, b] = this.#heads;
    if (a === undefined || b === undefined) return a === undefined ? 1 : 0;
    return a < b === this.#forward ? 0 : 1;
  }
}

/** Skips the entries of hidden records. */
export class HidingCursor implements IndexCursor {
  readonly #inner: IndexCursor;
  readonly #isHidden: (key: string) => boolean;

  constructor(inner: IndexCursor, isHidden: (key: string) => boolean) {
    this.#inner = inner;
    this.#isHidden = isHidden;
  }

  seek(key: string): string | undefined {
    return this.#visible(this.#inner.seek(key));
  }

  next(): string | undefined {
    return this.#visible(this.#inner.next());
  }

  #visible(key: string | undefined): string | undefined {
    let current = key;
    while (current !== undefined && this.#isHidden(current)) current = this.#inner.next();
    return current;
  }
}
