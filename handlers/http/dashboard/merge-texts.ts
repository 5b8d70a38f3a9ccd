import { isDeepStrictEqual } from 'node:util';
import { parseJson } from '../parse-json.js';
import { jsonText } from './parts/json-text.js';

/** A field that two people changed to different values. Undefined for one that was removed. */
export interface Clash {
  readonly field: string;
  readonly mine: unknown;
  readonly theirs: unknown;
}

/** Two changes of a text put together. */
export interface Merged {
  readonly text: string;
  /** The fields that only the other person changed. */
  readonly taken: readonly string[];
  /** The fields that both changed differently. The merged text has my value of each. */
  readonly clashes: readonly Clash[];
}

/**
 * Merges two changes of a JSON object, field by field. Returns undefined if one of the texts is no JSON object.
 *
 * @param base the text before both changes
 */
export function mergeTexts(base: string, mine: string, theirs: string): Merged | undefined {
  const [was, my, their] = [base, mine, theirs].map(fieldsOf);
  if (!was || !my || !their) return undefined;
  const fields = [...new Set([...my.keys(), ...their.keys(), ...was.keys()])];
  const isTheirs = (field: string) => !isDeepStrictEqual(was.get(field), their.get(field));
  const isMine = (field: string) => !isDeepStrictEqual(was.get(field), my.get(field));
  const isSame = (field: string) => isDeepStrictEqual(my.get(field), their.get(field));
  const taken = fields.filter((field) => isTheirs(field) && !isMine(field));
  const clashes = fields.filter((field) => isTheirs(field) && isMine(field) && !isSame(field));
  const merged = fields.flatMap((field): [string, unknown][] => {
    const from = taken.includes(field) ? their : my;
    return from.has(field) ? [[field, from.get(field)]] : [];
  });
  return {
    text: taken.length === 0 ? mine : jsonText(Object.fromEntries(merged)),
    taken,
    clashes: clashes.map((field) => ({ field, mine: my.get(field), theirs: their.get(field) })),
  };
}

function fieldsOf(text: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value = parseJson(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}
