import { fieldOf, isIndex } from '../bson/path.js';
import { CommandError } from '../errors.js';
import { compareBytes, EMPTY_ARRAY, keyString } from './key-string.js';

/** A field of an index or of a sort. */
export interface KeyField {
  readonly path: string;
  readonly direction: 1 | -1;
}

/** The state of a field while keys are made: its value, or a container and the rest of the path inside it. */
type Place = { readonly value: unknown } | { readonly inside: unknown; readonly rest: readonly string[] };

/** The keys of one document. */
export interface Keys {
  readonly strings: readonly string[];
  /** The fields whose paths met an array. */
  readonly multikey: readonly number[];
  /** Whether every field is missing. A sparse index then leaves the document out. */
  readonly allMissing: boolean;
}

/** Makes index keys and sort keys of documents. */
export class KeyMaker {
  readonly fields: readonly KeyField[];
  readonly directions: readonly number[];
  readonly #paths: readonly (readonly string[])[];

  constructor(fields: readonly KeyField[]) {
    this.fields = fields;
    this.directions = fields.map((field) => field.direction);
    this.#paths = fields.map((field) => field.path.split('.'));
  }

  /**
   * Returns all distinct keys of a document. Throws 171 if two fields hold different arrays.
   *
   * @param record the document's number. If given, each key ends with it
   */
  keysOf(doc: unknown, record?: number): Keys {
    const values = this.#paths.map((path) => plainValue(doc, path));
    if (!values.includes(MET_ARRAY)) return this.#single(values, record);
    const tuples: unknown[][] = [];
    expand(
      this.#paths.map((rest) => ({ inside: doc, rest })),
      tuples,
    );
    const strings = new Set(tuples.map((tuple) => keyString(tuple, this.directions, record)));
    const multikey = values.flatMap((value, field) => (value === MET_ARRAY ? [field] : []));
    return { strings: [...strings], multikey, allMissing: false };
  }

  #single(values: readonly unknown[], record: number | undefined): Keys {
    const allMissing = values.every((value) => value === undefined);
    return { strings: [keyString(values, this.directions, record)], multikey: NONE, allMissing };
  }

  /** Returns a document's sort key, the least of its keys in the order of the pattern. */
  sortKeyOf(doc: unknown): string {
    const { strings } = this.keysOf(doc);
    return strings.reduce((least, key) => (compareBytes(key, least) < 0 ? key : least), strings[0] ?? '');
  }
}

const NONE: readonly number[] = [];
const MET_ARRAY = Symbol('met an array');

/**
 * Returns the value at a path that leads through documents only, as nearly all paths do. Returns MET_ARRAY for other
 * paths.
 */
function plainValue(doc: unknown, path: readonly string[]): unknown {
  let value = doc;
  for (const part of path) {
    if (Array.isArray(value)) return MET_ARRAY;
    value = fieldOf(value, part);
  }
  return Array.isArray(value) ? MET_ARRAY : value;
}

/** Follows each place to a value or an array. Expands an array once for all fields whose paths meet it. */
function expand(places: readonly Place[], tuples: unknown[][]): void {
  const settled = places.map(descend);
  const array = settled.map(arrayAt).find((found) => found !== undefined);
  if (array === undefined) {
    tuples.push(settled.map((place) => ('value' in place ? place.value : undefined)));
    return;
  }
  if (settled.some((place) => arrayAt(place) !== undefined && arrayAt(place) !== array)) {
    throw new CommandError(171, 'cannot index parallel arrays');
  }
  const elements: readonly unknown[] = array.length === 0 ? [EMPTY_ARRAY] : array;
  for (const element of elements) {
    expand(
      settled.map((place) => (arrayAt(place) === array ? enter(place, element) : place)),
      tuples,
    );
  }
}

function arrayAt(place: Place): readonly unknown[] | undefined {
  return 'inside' in place && Array.isArray(place.inside) ? place.inside : undefined;
}

/** Follows a place through documents to a value, or to an array that must be expanded. */
function descend(place: Place): Place {
  let current = place;
  while ('inside' in current) {
    const { inside, rest }: { inside: unknown; rest: readonly string[] } = current;
    const [part] = rest;
    if (Array.isArray(inside)) {
      if (part === undefined || !isIndex(part) || fieldOf(inside, part) === undefined) return current;
    } else if (part === undefined) {
      return { value: inside };
    }
    current = { inside: fieldOf(inside, part ?? ''), rest: rest.slice(1) };
  }
  return current;
}

/** Enters one element of an array. An array within an array is a value, and is not expanded. */
function enter(place: Place, element: unknown): Place {
  const rest = 'rest' in place ? place.rest : [];
  if (rest.length === 0) return { value: element };
  if (element === EMPTY_ARRAY) return { value: undefined };
  return Array.isArray(element) && !isIndex(rest[0] ?? '') ? { value: undefined } : { inside: element, rest };
}
