import { type Doc, setField } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { PATH } from './expression/fields.js';
import { Operand } from './operand.js';
import { requireOperator } from './operator-names.js';

/** What `$unionWith` and `$lookup` look for elsewhere is bound with their pipeline, and once more where it is looked for. */
const parsedPaths = new WeakSet<object>();

/**
 * Puts the command's time in the place of `$$NOW` in an expression, everywhere but inside `$literal`: mingo
 * would read the machine's clock instead. A path of several names becomes an operator of this server's, for mingo
 * takes numbers in paths for indexes. Throws 168 for an operator there is not.
 */
export function bindNow(value: unknown, now: Date): unknown {
  if (value === '$$NOW') return now;
  if (typeof value === 'string') return value.startsWith('$') ? parsePath(value) : value;
  if (Array.isArray(value)) return value.map((element) => bindNow(element, now));
  if (!isDoc(value) || Object.hasOwn(value, '$literal') || parsedPaths.has(value)) return value;
  const bound: Doc = {};
  for (const [name, field] of Object.entries(value)) {
    if (name.startsWith('$')) requireOperator(name);
    setField(bound, name, bindNow(field, now));
  }
  return bound;
}

function parsePath(path: string): unknown {
  if (path === '$') throw new CommandError(16872, "'$' by itself is not a valid FieldPath");
  if (path === '$$') throw new CommandError(16869, 'empty variable names are not allowed');
  const names = path.split('.');
  if (names.includes('')) throw new CommandError(15998, 'FieldPath field names may not be empty strings.');
  if (names.length === 1) return path;
  const parsed = { [PATH]: names };
  parsedPaths.add(parsed);
  return parsed;
}

/** Does so in the expressions of a parsed filter; a plain value `'$$NOW'` in a filter is a string. */
export function bindFilter(condition: Doc, now: Date): Doc {
  const entries = Object.entries(condition).map(([name, value]) => [name, bindClause(name, value, now)]);
  return Object.fromEntries(entries);
}

function bindClause(name: string, value: unknown, now: Date): unknown {
  if (name === '$expr' && value instanceof Operand) return new Operand(bindNow(value.value, now));
  return name.startsWith('$') && Array.isArray(value)
    ? value.map((branch: Doc) => bindFilter(branch, now))
    : value;
}
