import { isKind } from '../../../src/brand.js';
import { ConflictError, type Issue, UnknownJobNameError, ValidationError } from '../../../src/index.js';

/** Returns the issues of an item that a user entered. @throws any other error */
export function issuesOf(error: unknown): readonly Issue[] {
  if (isKind(error, ValidationError)) return error.issues;
  if (isKind(error, ConflictError)) return [{ path: 'id', message: error.message }];
  if (isKind(error, UnknownJobNameError)) return [{ path: 'jobName', message: error.message }];
  throw error;
}
