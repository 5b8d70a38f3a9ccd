import { MongoServerError } from 'mongodb';
import { IndexMissingError } from '../errors.js';

/** MongoDB's BadValue: what it answers to a hint that names no index. */
const BAD_VALUE = 2;

/** The answer to a statement that names its index. @throws IndexMissingError when that is not there */
export async function orIndexMissing<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== BAD_VALUE) throw error;
    throw new IndexMissingError({ cause: error });
  }
}
