import { IndexMissingError } from '../errors.js';
import { serverCode } from './driver-error.js';

/**
 * MongoDB's codes for a refused hint: BadValue if the index does not exist, NoQueryExecutionPlans if it cannot be used.
 */
const refusals = new Set([2, 291]);

/** Awaits the result of a statement that names its index. @throws IndexMissingError if the index does not exist */
export async function orIndexMissing<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    if (!isHintRefused(error)) throw error;
    throw new IndexMissingError({ cause: error });
  }
}

/** Returns whether the server refused a statement because of the index that it names, and for no other reason. */
export function isHintRefused(error: unknown): boolean {
  return refusals.has(serverCode(error) ?? 0);
}
