import { BSONRegExp, type ObjectId } from 'bson';
import { equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { isOperators } from '../query/parse-filter.js';
import type { Update } from './compile-update.js';
import { modify } from './modify.js';

/** Returns the document that an upsert inserts: the filter's equalities, then the update. */
export function upsertedDoc(filter: Doc, update: Update, makeId: () => ObjectId): Doc {
  const start: Doc = {};
  if (update.kind === 'replacement') {
    const id = equalitiesOf(filter).find(([path]) => path === '_id');
    if (id) start._id = id[1];
  } else {
    for (const [path, value] of equalitiesOf(filter)) addEquality(start, path, value);
  }
  const { _id, ...fields } = update.apply(structureOf(start), true);
  const made = { _id: _id === undefined ? makeId() : _id, ...fields };
  if (start._id !== undefined && !equal(start._id, made._id)) {
    throw new CommandError(
      66,
      `Performing an update on the path '_id' would modify the immutable field '_id'`,
    );
  }
  return made;
}

function structureOf(start: Doc): Doc {
  return { ...start };
}

/** Returns the fields that a filter requires to equal one value. */
function equalitiesOf(filter: Doc): [string, unknown][] {
  return Object.entries(filter).flatMap(([name, value]): [string, unknown][] => {
    if (name === '$and' && Array.isArray(value))
      return value.flatMap((branch) => (isDoc(branch) ? equalitiesOf(branch) : []));
    if (name === '$or' && Array.isArray(value) && value.length === 1 && isDoc(value[0]))
      return equalitiesOf(value[0]);
    if (name.startsWith('$') || value instanceof BSONRegExp) return [];
    if (!isOperators(value)) return [[name, value]];
    if ('$eq' in value) return [[name, value.$eq]];
    for (const list of [value.$in, value.$all]) {
      if (Array.isArray(list) && list.length === 1 && !(list[0] instanceof BSONRegExp))
        return [[name, list[0]]];
    }
    return [];
  });
}

function addEquality(doc: Doc, path: string, value: unknown): void {
  modify(doc, path.split('.'), (current) => {
    if (current !== undefined) {
      throw new CommandError(54, `cannot infer query fields to set, path '${path}' is matched twice`);
    }
    return isDoc(value) ? { ...value } : value;
  });
}
