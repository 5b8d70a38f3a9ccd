import { type Doc, setField } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { PATH } from './expression/fields.js';
import { Operand } from './operand.js';
import { requireOperator } from './operator-names.js';

/**
 * The paths that are parsed already. Without this set, paths in a query of `$unionWith` or `$lookup` would be parsed
 * twice: with the pipeline, and when the query runs.
 */
const parsedPaths = new WeakSet<object>();

/**
 * Replaces `$$NOW` in an expression with the command's time, because mingo would read the machine's clock. Leaves
 * `$literal` as it is. Replaces a path of several names with this server's operator, because mingo would take numbers in
 * paths for indexes. Throws 168 for an unknown operator.
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

/** Binds the expressions of a parsed filter. A plain value `'$$NOW'` in a filter is a string. */
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
