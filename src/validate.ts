import type { z } from 'zod';
import { type Issue, ValidationError } from './errors.js';
import { MAX_ISSUES } from './issues.js';

/**
 * Parses `value` with a zod schema and awaits asynchronous refinements.
 *
 * @param subject name of the value in the error, for example "Input of job 'echo'"
 * @throws ValidationError listing every issue with its path
 */
export async function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  subject: string,
): Promise<z.output<Schema>> {
  const result = await schema.safeParseAsync(value);
  if (result.success) return result.data;
  throw new ValidationError(subject, toIssues(result.error));
}

/** Parses like `validate`, for schemas without asynchronous refinements. */
export function validateNow<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  subject: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ValidationError(subject, toIssues(result.error));
}

/** Placeholder for each issue beyond the limit. Only the number of these issues is reported. */
const untold: Issue = { path: '', message: '' };

/**
 * Converts a zod error to plain issues: one for each wrong value, and one for each unknown key. Issues after the first 100 are
 * blank, because a body of a megabyte may have 350,000.
 */
export function toIssues(error: Pick<z.core.$ZodError, 'issues'>): Issue[] {
  let count = 0;
  const issueOf = (path: readonly PropertyKey[], message: string) => {
    count += 1;
    return count > MAX_ISSUES ? untold : toIssue(path, message);
  };
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => issueOf([...issue.path, key], `Unrecognized key: "${key}"`));
    // Zod's own message for an invalid key does not say what is wrong with it, so its inner issues are reported.
    if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => issueOf(issue.path, message));
    return issueOf(issue.path, issue.message);
  });
}

export function toIssue(path: readonly PropertyKey[], message: string): Issue {
  return { path: path.map(String).join('.'), message };
}
