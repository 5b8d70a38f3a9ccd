/**
 * Refuses a zod that this package does not work with, when the package is imported: modules make their schemas then, which an
 * older zod would fail by a bare "is not a function". So each entry point imports this first.
 */
import * as z from 'zod';
import { ValidationError } from './errors.js';
import { fieldOf } from './mongo/driver-error.js';

/** As package.json has it: JSON Schemas of Standard Schema came with it. */
const MAJOR = 4;
const LOWEST_MINOR = 2;

const problem = zodProblem();
if (problem !== undefined)
  throw new ValidationError('The zod of this project', [{ path: '', message: problem }]);

/** A schema tells of which version it is since zod 4. Asked of one, for what reads all that zod exports bundles all of it. */
function zodProblem(): string | undefined {
  const version = fieldOf(fieldOf(z.string(), '_zod'), 'version');
  const [major, minor, patch] = ['major', 'minor', 'patch'].map((part) => fieldOf(version, part));
  if (major === MAJOR && Number(minor) >= LOWEST_MINOR) return undefined;
  const found = version === undefined ? '3 or earlier' : `${major}.${minor}.${patch}`;
  return `remote-processor works with zod ${MAJOR} from ${MAJOR}.${LOWEST_MINOR} on, not with ${found}: npm i zod@${MAJOR}`;
}
