import type { Doc } from '../bson/decode.js';
import { shellText } from '../bson/shell-text.js';
import { toNumber } from '../bson/to-number.js';
import { isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import type { KeyField } from '../storage/index-keys.js';

/** Returns the fields of a sort document. Throws for a direction that is neither 1 nor -1. */
export function sortPattern(sort: Doc): readonly KeyField[] {
  return Object.entries(sort).map(([path, value]) => {
    if (path === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string');
    if (path.startsWith('$') && path !== '$natural') {
      throw new CommandError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    }
    return { path, direction: directionOf(value) };
  });
}

/** Returns a direction, 1 or -1. Throws for any other value. */
export function directionOf(value: unknown): 1 | -1 {
  const direction = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (direction === 1 || direction === -1) return direction;
  if (isNumeric(value))
    throw new CommandError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
  throw new CommandError(15974, `Illegal key in $sort specification: ${shellText(value)}`);
}
