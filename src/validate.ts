import type { z } from 'zod';
import { type Issue, ValidationError } from './errors.js';

/**
 * Parses `value` with a zod schema, waiting for asynchronous refinements.
 *
 * @param subject names the value in the error, for example "Input of job 'echo'"
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

/** As `validate`, for schemas without asynchronous refinements. */
export function validateNow<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  subject: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ValidationError(subject, toIssues(result.error));
}

/** A zod error as plain issues: one for each value that is wrong, and one for each member that nobody knows. */
export function toIssues(error: z.ZodError): Issue[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => toIssue([...issue.path, key], `Unrecognized key: "${key}"`))
      : toIssue(issue.path, issue.message),
  );
}

export function toIssue(path: readonly PropertyKey[], message: string): Issue {
  return { path: path.map(String).join('.'), message };
}
