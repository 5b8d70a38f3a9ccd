import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as z from 'zod';
import { isKind } from '../brand.js';
import { type Issue, RemoteProcessorError, SchemaFailedError, ValidationError } from '../errors.js';
import { withinTime } from '../mongo/within-time.js';
import { toIssue, toIssues } from '../validate.js';
import { toFailure, toText } from './failure.js';

/*
 * The schema of a job's input or output may be of whichever library implements Standard Schema, such as zod 4, valibot
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
 * Returns what the schema makes of a value, and waits for what is asynchronous in it, for 10 s at most.
 *
 * @param subject names the value in the error, for example "Input of job 'echo'"
 * @throws ValidationError listing every issue with its path; SchemaFailedError when code of the schema throws, does not
 *   answer, or answers otherwise than Standard Schema says; and errors of this package that the schema's code throws, as they are
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
    return await inTime(ask(schema, value));
  } catch (error) {
    if (isKind(error, RemoteProcessorError)) throw error;
    throw new SchemaFailedError(subject, toFailure(error).message, { cause: error });
  }
}

/** Whoever adds the job waits for it. What asks elsewhere, a database for one, mostly knows long before. */
const MAX_JUDGING_MS = 10_000;

/** A timer for each value would cost many times what judging it does: what asks nobody is there within some microtasks. */
const SOON_MICROTASKS = 8;

/** @throws NoAnswer */
async function inTime(verdict: Promise<Verdict>): Promise<Verdict> {
  let isThere = false;
  const arrived = () => {
    isThere = true;
  };
  verdict.then(arrived, arrived);
  for (let turn = 0; turn < SOON_MICROTASKS && !isThere; turn += 1) await undefined;
  return isThere ? verdict : withinTime(MAX_JUDGING_MS, verdict, 'it');
}

async function ask(schema: StandardSchemaV1, value: unknown): Promise<Verdict> {
  // In zod's own way, functions of a zod schema run once. The other begins anew where one turns out to be asynchronous.
  if (!isZod(schema)) return toVerdict(await schema['~standard'].validate(value));
  const result = await z.safeParseAsync(schema, value);
  return result.success ? { value: result.data } : { issues: toIssues(result.error) };
}

/** Takes no member of a result for granted: it may be of anybody's code. */
function toVerdict(result: unknown): Verdict {
  const { issues } = Object(result);
  if (Array.isArray(issues)) return { issues: Array.from(issues, toOwnIssue) };
  if (!issues && 'value' in Object(result)) return { value: Object(result).value };
  throw new TypeError(`it returned ${toText(result)}, expected { value } or { issues: [...] }`);
}

/** `Array.from` and not `map`, which on ArkType's lists makes another of these and adds an item to it. */
function toOwnIssue(issue: unknown): Issue {
  const { path, message } = Object(issue);
  const keys = Array.isArray(path) ? Array.from(path, (part) => toText(keyOf(part))) : [];
  return toIssue(keys, typeof message === 'string' && message !== '' ? message : NO_REASON);
}

/** Whether a value may be missing: also when that cannot be told, since it depends on what is asked elsewhere, or on code that fails. */
export function mayBeMissing(schema: StandardSchemaV1): boolean {
  try {
    if (isZod(schema)) return z.safeParse(schema, undefined).success;
    const result = schema['~standard'].validate(undefined);
    if (!('then' in result)) return !result.issues;
    result.then(undefined, () => {}); // Nobody waits for it.
    return true;
  } catch {
    return true;
  }
}

function keyOf(part: unknown): unknown {
  return typeof part === 'object' && part !== null ? Reflect.get(part, 'key') : part;
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
