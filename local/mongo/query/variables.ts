import { type Doc, setField } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { Operand } from './operand.js';
import { requireOperator } from './operator-names.js';

/**
 * Puts the command's time in the place of `$$NOW` in an expression, everywhere but inside `$literal`: mingo
 * would read the machine's clock instead. Throws 168 for an operator there is not.
 */
export function bindNow(value: unknown, now: Date): unknown {
  if (value === '$$NOW') return now;
  if (Array.isArray(value)) return value.map((element) => bindNow(element, now));
  if (!isDoc(value) || Object.hasOwn(value, '$literal')) return value;
  const bound: Doc = {};
  for (const [name, field] of Object.entries(value)) {
    if (name.startsWith('$')) requireOperator(name);
    setField(bound, name, bindNow(field, now));
  }
  return bound;
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
