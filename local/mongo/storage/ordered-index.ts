import { createRequire } from 'node:module';
import type { Doc } from '../bson/decode.js';
import { ALL_FIELDS, type FieldsRead, fieldsOfFilter, together, topLevel } from '../query/fields-read.js';
import { type KeyField, KeyMaker } from './index-keys.js';
import { compareBytes, recordSuffix } from './key-string.js';

// The package is CommonJS with an ES default export, which Node and bundlers import differently; `require` is
// the same everywhere.
const { default: BTree }: typeof import('sorted-btree') = createRequire(import.meta.url)('sorted-btree');

/** What an index is, as `listIndexes` shows it: `v`, `key`, `name` and its options. */
export interface IndexDefinition {
  readonly name: string;
  readonly fields: readonly KeyField[];
  readonly unique: boolean;
  readonly sparse: boolean;
  /** The filter a document must match to be in the index. */
  readonly partial: { readonly filter: Doc; readonly matches: (doc: Doc) => boolean } | undefined;
  readonly expireAfterSeconds: number | undefined;
  readonly hidden: boolean;
  readonly spec: Doc;
}

/** One index: a B-tree of key strings, each ending with the number of its record. */
export class OrderedIndex {
  /** Replaced by `collMod`; its fields never change. */
  definition: IndexDefinition;
  readonly keys: KeyMaker;
  /** The fields in which any document ever had an array: two bounds on one of them may not be intersected. */
  readonly multikeyFields = new Set<number>();
  /** Counts changes, so that a scan that was interrupted knows to find its place again. */
  version = 0;
  /** The top-level fields that decide about a document's keys. */
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

  /** The keys a document has in this index; none where a sparse or partial index leaves it out. */
  keysOf(doc: Doc): readonly string[] {
    const { partial, sparse } = this.definition;
    if (partial && !partial.matches(doc)) return [];
    const keys = this.keys.keysOf(doc);
    if (sparse && keys.allMissing) return [];
    for (const field of keys.multikey) this.multikeyFields.add(field);
    return keys.strings;
  }

  /**
   * Whether two versions of a document certainly have the same keys here, for they do not differ in what the index looks
   * at. False may be said of versions that have the same keys all the same.
   */
  hasSameKeys(before: Doc, after: Doc): boolean {
    if (this.looksAt === ALL_FIELDS) return false;
    return this.looksAt.every((name) => isSame(before[name], after[name]));
  }

  insert(keys: readonly string[], id: number): void {
    const suffix = recordSuffix(id);
    for (const key of keys) this.#tree.set(joined(key, suffix), undefined);
    this.version += 1;
  }

  remove(keys: readonly string[], id: number): void {
    const suffix = recordSuffix(id);
    for (const key of keys) this.#tree.delete(key + suffix);
    this.version += 1;
  }

  /** The first entry at or after `key`; before it, when the scan runs backwards. */
  seek(key: string, forward: boolean): string | undefined {
    return forward ? this.#tree.getPairOrNextHigher(key)?.[0] : this.#tree.getPairOrNextLower(key)?.[0];
  }

  /** The entry next to `key`, in the direction of the scan. */
  after(key: string, forward: boolean): string | undefined {
    return forward ? this.#tree.nextHigherKey(key) : this.#tree.nextLowerKey(key);
  }

  /** The entries from `key` on, for as long as nothing changes the index. */
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

/** What is equal, but not the same object, need not be found to be so. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a instanceof Date && b instanceof Date && a.getTime() === b.getTime());
}

/** A flat string: concatenation alone would leave a tree of two strings in the heap. */
function joined(key: string, suffix: string): string {
  return Buffer.from(key + suffix, 'latin1').toString('latin1');
}
