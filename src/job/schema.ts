import { types } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as z from 'zod';
import { config, util } from 'zod/v4/core';
import { isKind } from '../brand.js';
import { type Issue, RemoteProcessorError, SchemaFailedError, ValidationError } from '../errors.js';
import { withinTime } from '../mongo/within-time.js';
import { toIssue, toIssues } from '../validate.js';
import { toFailure, toText } from './failure.js';

/*
 * The schema of a job's input or output may come from any library that implements Standard Schema, such as zod 4, valibot
 * or ArkType. Schemas of zod (any copy, and its mini) get special treatment. They are recognized by their members, never
 * by their classes.
 */

/** Returns why a value cannot be the schema of a job. Undefined if it can. Never throws. */
export function schemaProblem(value: unknown): string | undefined {
  try {
    if (isZod3(value))
      return `expected a schema of zod 4, which zod 3.25 has too, as 'zod/v4': this is one of zod 3`;
    return isStandardSchema(value) ? undefined : EXPECTED;
  } catch {
    return EXPECTED; // A proxy or getter that throws.
  }
}

const EXPECTED = 'expected a schema of zod 4, valibot, ArkType, or another that implements Standard Schema';

export function isZod(schema: StandardSchemaV1): schema is StandardSchemaV1 & z.core.$ZodType {
  return '_zod' in schema;
}

/**
 * Returns the value as parsed by the schema. Awaits asynchronous parts for up to 10 s.
 *
 * @param subject names the value in the error, for example "Input of job 'echo'"
 * @throws ValidationError listing every issue with its path
 * @throws SchemaFailedError if the schema's code throws, does not answer, or violates Standard Schema. Errors of this
 *   package that the code throws are passed on as they are
 */
export async function parseBy(schema: StandardSchemaV1, value: unknown, subject: string): Promise<unknown> {
  const verdict = await judge(schema, value, subject);
  if ('value' in verdict) return verdict.value;
  const unexplained = { path: '', message: NO_REASON };
  throw new ValidationError(subject, verdict.issues.length === 0 ? [unexplained] : verdict.issues);
}

type Verdict = { readonly value: unknown } | { readonly issues: readonly Issue[] };

const NO_REASON = 'its schema refuses it, and gives no reason';

async function judge(schema: StandardSchemaV1, value: unknown, subject: string): Promise<Verdict> {
  try {
    const verdict = ask(schema, value);
    return types.isPromise(verdict) ? await withinTime(MAX_JUDGING_MS, verdict, 'it') : verdict;
  } catch (error) {
    if (isKind(error, RemoteProcessorError)) throw error;
    throw new SchemaFailedError(subject, toFailure(error).message, { cause: error });
  }
}

/**
 * Time limit for a schema, since the caller who adds the job waits. A schema that queries a database usually answers
 * much faster.
 */
const MAX_JUDGING_MS = 10_000;

/** Returns a promise only for a schema with asynchronous parts: a timer and promises cost many times what checking does. */
function ask(schema: StandardSchemaV1, value: unknown): Verdict | Promise<Verdict> {
  if (!isZod(schema)) {
    const result: unknown = schema['~standard'].validate(value);
    const isPromise = typeof Object(result).then === 'function';
    return isPromise ? Promise.resolve(result).then(toVerdict) : toVerdict(result);
  }
  // As zod's own methods do it, except that those return a promise for every schema, or run the functions of an
  // asynchronous one twice.
  const parsed = schema._zod.run({ value, issues: [] }, asynchronously);
  return types.isPromise(parsed) ? parsed.then(toVerdictOfZod) : toVerdictOfZod(parsed);
}

const asynchronously = { async: true };

function toVerdictOfZod({ value, issues }: z.core.ParsePayload): Verdict {
  if (issues.length === 0) return { value };
  const explained = issues.map((issue) => util.finalizeIssue(issue, asynchronously, config()));
  return { issues: toIssues({ issues: explained }) };
}

/** Checks every member of a result, since any code may have made it. */
function toVerdict(result: unknown): Verdict {
  const { issues } = Object(result);
  if (Array.isArray(issues)) return { issues: Array.from(issues, toOwnIssue) };
  if (!issues && 'value' in Object(result)) return { value: Object(result).value };
  throw new TypeError(`it returned ${toText(result)}, expected { value } or { issues: [...] }`);
}

/** Uses `Array.from`, because `map` on ArkType's lists would create another such list, with an extra item. */
function toOwnIssue(issue: unknown): Issue {
  const { path, message } = Object(issue);
  const keys = Array.isArray(path) ? Array.from(path, (part) => toText(keyOf(part))) : [];
  return toIssue(keys, typeof message === 'string' && message !== '' ? message : NO_REASON);
}

/**
 * Returns whether a value may be missing. Also true if unknown, because the schema is asynchronous or its code fails.
 */
export function mayBeMissing(schema: StandardSchemaV1): boolean {
  try {
    if (isZod(schema)) return z.safeParse(schema, undefined).success;
    const result = schema['~standard'].validate(undefined);
    if (!('then' in result)) return !result.issues;
    result.then(undefined, () => {}); // Nobody awaits it.
    return true;
  } catch {
    return true;
  }
}

function keyOf(part: unknown): unknown {
  return typeof part === 'object' && part !== null ? Reflect.get(part, 'key') : part;
}

/**
 * Returns whether a value is a zod 3 schema. Its later versions implement Standard Schema, but are not described or typed
 * like zod 4.
 */
function isZod3(value: unknown): boolean {
  const { _def: definition, _zod: zod4 } = Object(value);
  return zod4 === undefined && typeof Object(definition).typeName === 'string';
}

/** Returns whether a value implements Standard Schema. Some libraries' schemas are functions. */
function isStandardSchema(value: unknown): boolean {
  const { version, validate } = Object(Object(value)['~standard']);
  return version === 1 && typeof validate === 'function';
}
