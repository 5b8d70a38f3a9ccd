import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as z from 'zod';
import { offeredJsonSchema } from './offered-json-schema.js';
import { isZod, mayBeMissing } from './schema.js';

/*
 * The JSON Schema of an input, with which producers without the job's code check it. It may be weaker than the zod schema,
 * because the worker parses the input again. It is never stronger. So any JSON that a process with the code accepts is also
 * accepted by name elsewhere. Parts that JSON Schema expresses differently than zod, or not at all, are left out.
 */

/**
 * Returns a schema as JSON Schema text. Null if it cannot be written, so that only a process with the code can add such
 * jobs.
 */
export function toJsonSchema(schema: StandardSchemaV1): string | null {
  return isZod(schema) ? ofZod(schema) : offeredJsonSchema(schema);
}

/**
 * Returns the JSON Schema text of the values that a schema returns, as far as it is known. Null if it cannot be written.
 * Unlike an input, a result is stored without the members that its schema does not name.
 */
export function outputJsonSchema(schema: StandardSchemaV1): string | null {
  if (!isZod(schema)) return offeredJsonSchema(schema);
  try {
    return JSON.stringify(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any', metadata: none }));
  } catch {
    return null;
  }
}

function ofZod(schema: z.core.$ZodType): string | null {
  if (schema._zod.def.type === 'undefined') return JSON.stringify({ not: {} });
  try {
    return JSON.stringify(
      z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', metadata: none, override: loosen }),
    );
  } catch {
    return null;
  }
}

/** Parses a stored schema. Undefined if there is none, or if it was written by another version and cannot be read. */
export function fromJsonSchema(text: string | null): z.ZodType | undefined {
  try {
    return text === null ? undefined : z.fromJSONSchema(JSON.parse(text, withoutFormat));
  } catch {
    return undefined;
  }
}

/**
 * Ignores `format`, which is for people and forms. For a `format`, zod would check its default pattern, which may be
 * narrower than the schema's own. The schema's own is in the keyword `pattern`.
 */
function withoutFormat(key: string, value: unknown): unknown {
  return key === 'format' && typeof value === 'string' ? undefined : value;
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>;
type Node = Parameters<Override>[0];

/**
 * Registry without metadata. Only the texts below are copied, because a definition's metadata could contain any
 * keyword.
 */
const none = z.registry<Record<string, unknown>>();
const texts = ['title', 'description', 'examples', 'deprecated'] as const;

function loosen(node: Node): void {
  const { zodSchema, jsonSchema } = node;
  if (mayAcceptAnything(zodSchema)) keepOnly(jsonSchema, []);
  else {
    loosenChecks(node);
    loosenMembers(node);
  }
  const about: Readonly<Record<string, unknown>> = z.globalRegistry.get(zodSchema) ?? {};
  for (const name of texts) if (about[name] !== undefined) Reflect.set(jsonSchema, name, about[name]);
}

/** Returns whether code decides what a schema accepts, or its parts do not show that. */
function mayAcceptAnything({ _zod: { def, toJSONSchema } }: Node['zodSchema']): boolean {
  if (toJSONSchema || ('coerce' in def && def.coerce)) return true;
  if (def.type === 'pipe') return 'in' in def && isTransform(def.in);
  // Zod reads some schemas differently than it writes them: tuples with optional last items, and intersections whose parts
  // each know some keys.
  return ['catch', 'success', 'transform', 'intersection', 'tuple', 'promise'].includes(def.type);
}

/** Returns whether a schema is the first part of `z.preprocess`. */
function isTransform(schema: unknown): boolean {
  // Checked without the class: importing `z.core` as a value would bundle all of zod, including its texts in every
  // language.
  return Object(schema)._zod?.def.type === 'transform';
}

/** Checks that do not change the value and that JSON Schema expresses fully. */
const harmlessChecks = new Set([
  'describe',
  'metadata',
  'greater_than',
  'less_than',
  'multiple_of',
  'number_format',
  'min_length',
  'max_length',
  'length_equals',
  'string_format',
]);

const limits = [
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'allOf',
  'contentEncoding',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
];

/** Drops limits if an earlier check, such as `trim`, changes the value, which JSON Schema cannot express. */
function loosenChecks({ zodSchema, jsonSchema }: Node): void {
  const checks = zodSchema._zod.def.checks ?? [];
  const changes = checks.some((check) => !isRefinement(check) && !harmlessChecks.has(check._zod.def.check));
  if (changes) drop(jsonSchema, limits);
  if (changes && jsonSchema.type === 'integer') jsonSchema.type = 'number';
  const patterns = [zodSchema, ...checks].flatMap(patternsOf);
  // JSON Schema has no flags. Zod reads base64 and multiple patterns differently than it writes them.
  const isExact = patterns.every(({ flags }) => flags === '') && jsonSchema.contentEncoding === undefined;
  if (patterns.length > 1 || !isExact) drop(jsonSchema, ['pattern', 'allOf']);
}

/** Returns whether a check only tests the value, as `refine` does. A function given to `check` may change it. */
function isRefinement(check: z.core.$ZodCheck): boolean {
  return 'fn' in check._zod.def;
}

function patternsOf({ _zod: { def } }: z.core.$ZodType | z.core.$ZodCheck): RegExp[] {
  return 'pattern' in def && def.pattern instanceof RegExp ? [def.pattern] : [];
}

function loosenMembers({ zodSchema, jsonSchema }: Node): void {
  const { def } = zodSchema._zod;
  // Loosened members may overlap where only one matched before.
  if (jsonSchema.oneOf) {
    jsonSchema.anyOf = jsonSchema.oneOf;
    drop(jsonSchema, ['oneOf', 'discriminator']);
  }
  if (def.type === 'object' && 'shape' in def) loosenRequired(jsonSchema, Object(def.shape));
  if (def.type === 'record') {
    // Keys may be numbers or be changed. Keys of a loose record need not match.
    drop(jsonSchema, ['propertyNames', 'patternProperties', 'required']);
    if ('mode' in def && def.mode === 'loose') drop(jsonSchema, ['additionalProperties']);
  }
}

function loosenRequired(
  jsonSchema: Node['jsonSchema'],
  shape: Readonly<Record<string, z.core.$ZodType>>,
): void {
  const required = jsonSchema.required?.filter((name) => shape[name] && !mayBeMissing(shape[name]));
  if (required === undefined || required.length === 0) drop(jsonSchema, ['required']);
  else jsonSchema.required = required;
}

function keepOnly(jsonSchema: object, names: readonly string[]): void {
  drop(
    jsonSchema,
    Object.keys(jsonSchema).filter((name) => !names.includes(name)),
  );
}

function drop(jsonSchema: object, names: readonly string[]): void {
  for (const name of names) Reflect.deleteProperty(jsonSchema, name);
}
