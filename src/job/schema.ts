import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as z from 'zod';
import { ValidationError } from '../errors.js';
import { toIssue, toIssues } from '../validate.js';

/*
 * What the input or output of a job must be: a schema of whichever library implements Standard Schema, such as zod 4, valibot
 * or ArkType. Those of zod, of any copy and of its mini, are known better: by what they have, never by their classes.
 */

/** Why this cannot be a schema of a job; undefined when it can. Never throws. */
export function schemaProblem(value: unknown): string | undefined {
  try {
    if (isZod3(value))
      return `expected a schema of zod 4, which zod 3.25 has too, as 'zod/v4': this is one of zod 3`;
    return isStandardSchema(value) ? undefined : EXPECTED;
  } catch {
    return EXPECTED; // A proxy, or a getter, that throws.
  }
}

const EXPECTED = 'expected a schema of zod 4, valibot, ArkType, or another that implements Standard Schema';

export function isZod(schema: StandardSchemaV1): schema is StandardSchemaV1 & z.core.$ZodType {
  return '_zod' in schema;
}

/**
 * What the schema makes of a value, waiting for what is asynchronous in it.
 *
 * @param subject names the value in the error, for example "Input of job 'echo'"
 * @throws ValidationError listing every issue with its path, and what code of the schema throws
 */
export async function parseBy(schema: StandardSchemaV1, value: unknown, subject: string): Promise<unknown> {
  if (isZod(schema)) {
    // By this its own way, functions of the schema run once; the other begins anew where one turns out to be asynchronous.
    const result = await z.safeParseAsync(schema, value);
    if (result.success) return result.data;
    throw new ValidationError(subject, toIssues(result.error));
  }
  const result = await schema['~standard'].validate(value);
  if (!result.issues) return result.value;
  throw new ValidationError(
    subject,
    result.issues.map(({ path = [], message }) => toIssue(path.map(keyOf), message)),
  );
}

/** Whether a value may be missing: also when that cannot be told, since it depends on what is asked elsewhere, or on code that fails. */
export function mayBeMissing(schema: StandardSchemaV1): boolean {
  try {
    if (isZod(schema)) return z.safeParse(schema, undefined).success;
    const result = schema['~standard'].validate(undefined);
    if (!('then' in result)) return result.issues === undefined;
    result.then(undefined, () => {}); // Nobody waits for it.
    return true;
  } catch {
    return true;
  }
}

function keyOf(part: PropertyKey | StandardSchemaV1.PathSegment): PropertyKey {
  return typeof part === 'object' ? part.key : part;
}

/** Its later versions implement Standard Schema, and yet are not described, nor typed, as zod 4 is. */
function isZod3(value: unknown): boolean {
  const { _def: definition, _zod: zod4 } = Object(value);
  return zod4 === undefined && typeof Object(definition).typeName === 'string';
}

/** A function has one too, where it can be called to validate. */
function isStandardSchema(value: unknown): boolean {
  const { version, validate } = Object(Object(value)['~standard']);
  return version === 1 && typeof validate === 'function';
}
