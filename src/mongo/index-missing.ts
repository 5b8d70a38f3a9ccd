import { IndexMissingError } from '../errors.js';
import { serverCode } from './driver-error.js';

/** What MongoDB answers to a hint: BadValue, there is no such index; NoQueryExecutionPlans, it does not serve. */
const refusals = new Set([2, 291]);

/** The answer to a statement that tells its index. @throws IndexMissingError when that is not there */
export async function orIndexMissing<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    if (!isHintRefused(error)) throw error;
    throw new IndexMissingError({ cause: error });
  }
}

/** Whether a statement that is otherwise right was refused for the index that it tells. */
export function isHintRefused(error: unknown): boolean {
  return refusals.has(serverCode(error) ?? 0);
}
