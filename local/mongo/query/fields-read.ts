import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';

/** Every field of a document, whatever its name. */
export const ALL_FIELDS = 'all fields';

/** The names of the top-level fields that are read of a document: those of a list at least, or all. */
export type FieldsRead = readonly string[] | typeof ALL_FIELDS;

/** What both lists read. */
export function together(...lists: readonly FieldsRead[]): FieldsRead {
  return lists.includes(ALL_FIELDS) ? ALL_FIELDS : lists.flat();
}

/** What a filter reads of the document that it is put to. */
export function fieldsOfFilter(filter: Doc): FieldsRead {
  return together(...Object.entries(filter).map(([name, value]) => fieldsOfClause(name, value)));
}

function fieldsOfClause(name: string, value: unknown): FieldsRead {
  if (!name.startsWith('$')) return [topLevel(name)];
  if (name === '$expr') return fieldsOfExpression(value);
  if (!Array.isArray(value)) return [];
  return together(...value.map((branch) => (isDoc(branch) ? fieldsOfFilter(branch) : [])));
}

/** An expression may also read a field whose name it computes, or the document as a whole. */
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

/** What a find gives of a document: what its projection names, where it names only fields to include. */
export function fieldsOfProjection(projection: Doc): FieldsRead {
  const entries = Object.entries(projection);
  const included = entries.filter(([, value]) => value === 1 || value === true);
  const isPlain = entries.every(
    ([path, value]) => !path.includes('$') && (value === 1 || value === true || path === '_id'),
  );
  return isPlain && included.length > 0 ? ['_id', ...included.map(([path]) => topLevel(path))] : ALL_FIELDS;
}

/** The name with which a dotted path begins. */
export function topLevel(path: string): string {
  return path.split('.', 1)[0] ?? path;
}
