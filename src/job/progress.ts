import { ValidationError } from '../errors.js';
import { shortText } from './log-line.js';

/**
 * Arguments of `progress`. A single value is stored as it is. A fraction from 0 to 1 with a message is stored as `{
 * fraction, message }`, and an amount out of a total as `{ done, of, message }`. These two, and a single number from 0 to
 * 1, are shown as a bar.
 */
export type ProgressArguments =
  | [value: unknown]
  | [fraction: number, message: string]
  | [done: number, of: number, message?: string | undefined];

/**
 * Reports progress, which `getJob(id).progress` shows.
 *
 * Only the last of many reports is written, at most once a second for all jobs of an invocation together. The final one
 * is written with the job's outcome. If the report can be written at once, the promise waits for that, up to a second.
 * Otherwise it resolves in the next turn of the event loop. So a job that awaits each report is hardly slowed down, and
 * lets other jobs run. A failure of the database does not reject the promise.
 *
 * @throws ValidationError (as a rejection) for numbers out of range, or for a value that cannot be stored
 */
export interface ReportProgress {
  (value: unknown): Promise<void>;
  (fraction: number, message: string): Promise<void>;
  (done: number, of: number, message?: string): Promise<void>;
}

/**
 * Returns the value to store for a report, with its message cut to 1,000 characters.
 *
 * @throws ValidationError for numbers out of range
 */
export function toProgressValue(...[value, second, message]: ProgressArguments): unknown {
  if (typeof second === 'string') return fraction(value, second);
  return second === undefined ? value : counted(value, second, message);
}

function fraction(value: unknown, message: string): unknown {
  if (!isBetween(value, 1)) throw refuse('fraction', 'expected a number from 0 to 1', value);
  return { fraction: value, message: shortText(message) };
}

function counted(done: unknown, of: unknown, message: unknown): unknown {
  if (!isBetween(of, Number.MAX_VALUE)) throw refuse('of', 'expected a number from 0', of);
  if (!isBetween(done, of)) throw refuse('done', `expected a number from 0 to ${of}`, done);
  return { done, of, ...(message !== undefined && { message: shortText(message) }) };
}

function isBetween(value: unknown, most: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= most;
}

function refuse(path: string, expected: string, value: unknown): ValidationError {
  return new ValidationError('Progress', [
    { path, message: shortText(`${expected}, not ${shortText(value)}`) },
  ]);
}
