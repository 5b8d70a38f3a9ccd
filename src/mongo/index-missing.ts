import { IndexMissingError } from '../errors.js';
import { hasServerCode } from './driver-error.js';

/** MongoDB's BadValue: what it answers to a hint that names no index. */
const BAD_VALUE = 2;

/** The answer to a statement that names its index. @throws IndexMissingError when that is not there */
export async function orIndexMissing<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    if (!hasServerCode(error, BAD_VALUE)) throw error;
    throw new IndexMissingError({ cause: error });
  }
}
