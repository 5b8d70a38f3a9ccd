import { Decimal128, Long, ObjectId } from 'bson';
import { toNumber } from './to-number.js';
import { isDoc, isNumeric } from './type-of.js';

/** Returns a value as MongoDB's error messages show it. */
export function shellText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === undefined) return 'missing';
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Long || value instanceof Decimal128) return value.toString();
  if (isNumeric(value)) return String(toNumber(value));
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(shellText).join(', ')} ]`;
  if (!isDoc(value)) return String(value);
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${shellText(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
