import { MongoServerError } from 'mongodb';

/** MongoDB's BadValue: what it answers to a hint that names no index. */
const BAD_VALUE = 2;

/** The answer to a statement that names its index; when that is missing, an error that tells what to do. */
export async function orIndexMissing<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== BAD_VALUE) throw error;
    const message =
      'An index is missing: call ensureIndexes (npm run ensure-indexes), as at each deployment of a new version.';
    throw new Error(message, { cause: error });
  }
}
