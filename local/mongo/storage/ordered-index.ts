import { createRequire } from 'node:module';
import type { Doc } from '../bson/decode.js';
import { ALL_FIELDS, type FieldsRead, fieldsOfFilter, together, topLevel } from '../query/fields-read.js';
import { type KeyField, KeyMaker } from './index-keys.js';
import { compareBytes } from './key-string.js';

// `require`, because it gives the same everywhere. The package is CommonJS with an ES default export, and Node.js and
// bundlers differ in how they import that.
const { default: BTree }: typeof import('sorted-btree') = createRequire(import.meta.url)('sorted-btree');

/** The definition of an index. `spec` is its form in `listIndexes`: `v`, `key`, `name` and the options. */
export interface IndexDefinition {
  readonly name: string;
  readonly fields: readonly KeyField[];
  readonly unique: boolean;
  readonly sparse: boolean;
  /** The filter that a document must match to be in the index. */
  readonly partial: { readonly filter: Doc; readonly matches: (doc: Doc) => boolean } | undefined;
  readonly expireAfterSeconds: number | undefined;
  readonly hidden: boolean;
  readonly spec: Doc;
}

/** An index, a B-tree of key strings that each end with the number of their record. */
export class OrderedIndex {
  /** Replaced by `collMod`, which never changes the fields. */
  definition: IndexDefinition;
  readonly keys: KeyMaker;
  /** The fields in which any document ever had an array. Two bounds on such a field may not be intersected. */
  readonly multikeyFields = new Set<number>();
  /** Counts changes, so that an interrupted scan knows when to find its place again. */
  version = 0;
  /** The top-level fields that determine a document's keys. */
  readonly looksAt: FieldsRead;
  readonly #tree = new BTree<string, undefined>(undefined, compareBytes, 64);

  constructor(definition: IndexDefinition) {
    this.definition = definition;
    this.keys = new KeyMaker(definition.fields);
    this.looksAt = fieldsOf(definition);
  }

  get size(): number {
    return this.#tree.size;
  }

  /**
   * Returns the keys of a document in this index, or none if a sparse or partial index leaves it out.
   *
   * @param record the document's number. If given, each key ends with it, as in the index
   */
  keysOf(doc: Doc, record?: number): readonly string[] {
    const { partial, sparse } = this.definition;
    if (partial && !partial.matches(doc)) return [];
    const keys = this.keys.keysOf(doc, record);
    if (sparse && keys.allMissing) return [];
    for (const field of keys.multikey) this.multikeyFields.add(field);
    return keys.strings;
  }

  /**
   * Returns true if no field that the index reads has changed. Then both versions of a document have the same keys here.
   * May return false for equal keys.
   */
  hasSameKeys(before: Doc, after: Doc): boolean {
    if (this.looksAt === ALL_FIELDS) return false;
    return this.looksAt.every((name) => isSame(before[name], after[name]));
  }

  /** @param entries keys that end with the number of a record */
  insert(entries: readonly string[]): void {
    for (const entry of entries) this.#tree.set(entry, undefined);
    this.version += 1;
  }

  remove(entries: readonly string[]): void {
    for (const entry of entries) this.#tree.delete(entry);
    this.version += 1;
  }

  /** Returns the first entry at or after `key`, or at or before it in a backward scan. */
  seek(key: string, forward: boolean): string | undefined {
    return forward ? this.#tree.getPairOrNextHigher(key)?.[0] : this.#tree.getPairOrNextLower(key)?.[0];
  }

  /** Returns the entry next to `key`, in the direction of the scan. */
  after(key: string, forward: boolean): string | undefined {
    return forward ? this.#tree.nextHigherKey(key) : this.#tree.nextLowerKey(key);
  }

  /** Iterates over the entries from `key` on, as long as the index does not change. */
  entriesFrom(key: string, forward: boolean): Iterator<[string, undefined]> {
    return forward ? this.#tree.entries(key) : this.#tree.entriesReversed(key);
  }
}

function fieldsOf({ fields, partial }: IndexDefinition): FieldsRead {
  const read = together(
    fields.map(({ path }) => topLevel(path)),
    fieldsOfFilter(partial?.filter ?? {}),
  );
  return read === ALL_FIELDS ? read : [...new Set(read)];
}

/** Compares two values cheaply. May return false for equal values that are different objects. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a instanceof Date && b instanceof Date && a.getTime() === b.getTime());
}
