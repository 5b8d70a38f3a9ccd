import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';

/** Every field of a document, whatever its name. */
export const ALL_FIELDS = 'all fields';

/** The names of the top-level fields to read from a document, or all fields. */
export type FieldsRead = readonly string[] | typeof ALL_FIELDS;

/** Returns the fields of all lists together. */
export function together(...lists: readonly FieldsRead[]): FieldsRead {
  return lists.includes(ALL_FIELDS) ? ALL_FIELDS : lists.flat();
}

/** Returns the fields that a filter reads from its document. */
export function fieldsOfFilter(filter: Doc): FieldsRead {
  return together(...Object.entries(filter).map(([name, value]) => fieldsOfClause(name, value)));
}

function fieldsOfClause(name: string, value: unknown): FieldsRead {
  if (!name.startsWith('$')) return [topLevel(name)];
  if (name === '$expr') return fieldsOfExpression(value);
  if (!Array.isArray(value)) return [];
  return together(...value.map((branch) => (isDoc(branch) ? fieldsOfFilter(branch) : [])));
}

/** Operators that may read a field whose name they compute, or the whole document. */
const READS_ANY: ReadonlySet<string> = new Set(['$getField', '$setField', '$unsetField']);

function fieldsOfExpression(expression: unknown): FieldsRead {
  if (typeof expression === 'string') return fieldsOfText(expression);
  if (Array.isArray(expression)) return together(...expression.map(fieldsOfExpression));
  if (!isDoc(expression)) return [];
  if (Object.keys(expression).some((name) => READS_ANY.has(name))) return ALL_FIELDS;
  return together(...Object.values(expression).map(fieldsOfExpression));
}

function fieldsOfText(text: string): FieldsRead {
  if (!text.startsWith('$') || text === '$$NOW') return [];
  return text.startsWith('$$') ? ALL_FIELDS : [topLevel(text.slice(1))];
}

/** Returns the fields that a find returns: the named ones for a projection that only includes fields, otherwise all. */
export function fieldsOfProjection(projection: Doc): FieldsRead {
  const entries = Object.entries(projection);
  const included = entries.filter(([, value]) => value === 1 || value === true);
  const isPlain = entries.every(
    ([path, value]) => !path.includes('$') && (value === 1 || value === true || path === '_id'),
  );
  return isPlain && included.length > 0 ? ['_id', ...included.map(([path]) => topLevel(path))] : ALL_FIELDS;
}

/** Returns the first name of a dotted path. */
export function topLevel(path: string): string {
  return path.split('.', 1)[0] ?? path;
}
