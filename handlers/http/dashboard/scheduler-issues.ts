import { isKind } from '../../../src/brand.js';
import { ConflictError, type Issue, UnknownJobNameError, ValidationError } from '../../../src/index.js';

/** What is wrong with a scheduler item as it was typed. @throws every error that is about something else */
export function issuesOf(error: unknown): readonly Issue[] {
  if (isKind(error, ValidationError)) return error.issues;
  if (isKind(error, ConflictError)) return [{ path: 'id', message: error.message }];
  if (isKind(error, UnknownJobNameError)) return [{ path: 'jobName', message: error.message }];
  throw error;
}
