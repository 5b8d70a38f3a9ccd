import * as z from 'zod';
import { storableText } from '../storable-text.js';
import { inputPathSchema } from './redacted-paths.js';
import { valueAt } from './value-at.js';

/** Maximum number of paths. Each costs a job an index entry when it is added, and another when it is removed. */
const MAX_PATHS = 5;

/** Maximum length of a value. Some versions of MongoDB refuse index keys above 1 KB. A longer one cannot be searched for. */
const MAX_VALUE_LENGTH = 200;

/** Option `searchable` of a definition. */
export const searchableSchema = z
  .array(
    inputPathSchema.refine(
      (path) => !path.includes('=') && !path.split('.').includes('*'),
      "expected a path to one value, without '=' and '*'",
    ),
  )
  .min(1)
  .max(MAX_PATHS)
  .optional();

/** A key to search for. */
export const searchKeySchema = storableText
  .max(500)
  .refine(
    (key) => key.indexOf('=') > 0,
    "expected a path and its value with '=' between, such as orderId=42",
  );

/**
 * Returns the keys by which a job can be found, such as `orderId=42`: one for each path where its input has a text, a number
 * or a boolean. Undefined if there are none.
 */
export function searchKeysOf(
  paths: readonly string[] | undefined,
  input: unknown,
): readonly string[] | undefined {
  const keys = paths?.flatMap((path) => keyFor(path, valueAt(input, path)));
  return keys === undefined || keys.length === 0 ? undefined : keys;
}

/** Returns the key of a path with this value, if it can be searched for. */
export function keyFor(path: string, value: unknown): string[] {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return [];
  const text = String(value);
  return text === '' || text.length > MAX_VALUE_LENGTH ? [] : [`${path}=${text}`];
}
