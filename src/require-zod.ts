/**
 * Refuses an unsupported zod when the package is imported. Our modules create their schemas at import. With an older zod, that
 * would fail with a bare "is not a function". So each entry point imports this file first.
 */
import * as z from 'zod';
import { ValidationError } from './errors.js';
import { fieldOf } from './mongo/driver-error.js';

/** Lowest supported version. It introduced the JSON Schemas of Standard Schema. */
const MAJOR = 4;
const LOWEST_MINOR = 2;

const problem = zodProblem();
if (problem !== undefined)
  throw new ValidationError('The zod of this project', [{ path: '', message: problem }]);

/**
 * Returns the reason why zod cannot be used, or undefined. Reads the version from a schema, which contains it since zod 4.
 * Importing the version from zod itself would bundle all of zod.
 */
function zodProblem(): string | undefined {
  const version = fieldOf(fieldOf(z.string(), '_zod'), 'version');
  const [major, minor, patch] = ['major', 'minor', 'patch'].map((part) => fieldOf(version, part));
  if (major === MAJOR && Number(minor) >= LOWEST_MINOR) return undefined;
  const found = version === undefined ? '3 or earlier' : `${major}.${minor}.${patch}`;
  return `remote-processor works with zod ${MAJOR} from ${MAJOR}.${LOWEST_MINOR} on, not with ${found}: npm i zod@${MAJOR}`;
}
