import { types } from 'node:util';

/** Returns whether a value is an error, including errors of another realm, such as a test runner's. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}
