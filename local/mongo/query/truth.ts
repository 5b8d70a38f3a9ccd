import { toNumber } from '../bson/to-number.js';
import { isNumeric } from '../bson/type-of.js';

/** Returns whether a value counts as true. All do except false, null, missing and zero. */
export function truthy(value: unknown): boolean {
  if (isNumeric(value)) return toNumber(value) !== 0;
  return value !== undefined && value !== null && value !== false;
}
