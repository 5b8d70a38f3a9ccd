import type { Doc } from '../bson/decode.js';
import { matchedPositions } from '../bson/path.js';
import { compileFilter, type Environment } from '../query/evaluation.js';
import { sortPattern } from '../query/sort-pattern.js';
import { KeyMaker } from '../storage/index-keys.js';
import { decodeStored } from '../storage/stored.js';
import type { View } from '../storage/view.js';

/** What to look for, and in which order. */
export interface QuerySpec {
  readonly filter: Doc;
  readonly sort: Doc;
  readonly hint: unknown;
  readonly skip: number;
  /** 0 means no limit. */
  readonly limit: number;
  readonly environment: Environment;
}

/** A document that matches. */
export interface Match {
  readonly id: number;
  readonly doc: Doc;
  readonly stored: string;
}

/** The documents that match, in the order asked for, after `skip` and up to `limit`. */
export function findMatches(view: View, spec: QuerySpec): Generator<Match> {
  const matches = compileFilter(spec.filter, spec.environment);
  const keys = new KeyMaker(sortPattern(spec.sort));
  const found = scan(view, matches);
  return window(keys.fields.length > 0 ? sorted(found, keys) : found, spec);
}

function* scan(view: View, matches: (doc: Doc) => boolean): Generator<Match> {
  for (const id of view.ids()) {
    const stored = view.get(id);
    if (stored === undefined) continue;
    const doc = decodeStored(stored);
    matchedPositions.clear();
    if (matches(doc)) yield { id, doc, stored };
  }
}

function sorted(found: Iterable<Match>, keys: KeyMaker): Match[] {
  const keyed = [...found].map((match) => ({ match, key: keys.sortKeyOf(match.doc) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ match }) => match);
}

function* window(found: Iterable<Match>, { skip, limit }: QuerySpec): Generator<Match> {
  let seen = 0;
  for (const match of found) {
    seen += 1;
    if (seen > skip) yield match;
    if (limit > 0 && seen >= skip + limit) return;
  }
}
