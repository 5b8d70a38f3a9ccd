import { isKind } from '../../../src/brand.js';
import { ConflictError, type Issue, UnknownJobNameError, ValidationError } from '../../../src/index.js';

/** Returns the issues of a scheduler item as it was typed. @throws every error about something else */
export function issuesOf(error: unknown): readonly Issue[] {
  if (isKind(error, ValidationError)) return error.issues;
  if (isKind(error, ConflictError)) return [{ path: 'id', message: error.message }];
  if (isKind(error, UnknownJobNameError)) return [{ path: 'jobName', message: error.message }];
  throw error;
}
