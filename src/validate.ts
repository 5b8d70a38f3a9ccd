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

/** A zod error as plain issues. */
export function toIssues(error: z.ZodError): Issue[] {
  return error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
}
