import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

/*
 * The JSON Schema that a schema offers of itself ("Standard JSON Schema"): ArkType's do, valibot's by `toStandardJsonSchema`.
 * How a library means it is not ours to know. So only what all mean alike is taken over: the rest is for the worker to judge.
 */

/** Returns it as text, or null if the schema offers none, has no such form, or refers to itself by more than a `$ref`. */
export function offeredJsonSchema(schema: StandardSchemaV1): string | null {
  try {
    if (!offers(schema)) return null;
    const offered: unknown = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
    return isJsonSchema(offered) ? JSON.stringify(loosened(offered)) : null;
  } catch {
    return null;
  }
}

/** Anything else would be stored, and read as one that accepts anything. */
function isJsonSchema(value: unknown): boolean {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

function offers(schema: StandardSchemaV1): schema is StandardSchemaV1 & StandardJSONSchemaV1 {
  return 'jsonSchema' in schema['~standard'];
}

/** Taken over as they are. `format` is for forms: nothing is refused for it. */
const plain = new Set([
  '$schema',
  '$ref',
  'type',
  'enum',
  'const',
  'required',
  'format',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
  'title',
  'description',
  'examples',
  'deprecated',
  'default',
]);

/** Keywords with a schema below them, and keywords with named ones. */
const below = new Set(['items', 'additionalProperties']);
const named = new Set(['properties', '$defs', 'definitions']);

/** Not taken over, and what is not either then: it is about the names, or the items, that the first says nothing of. */
const rests: Readonly<Record<string, string>> = {
  patternProperties: 'additionalProperties',
  prefixItems: 'items',
};

function loosened(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const left = new Set(Object.keys(schema).map((keyword) => rests[keyword]));
  const kept = Object.entries(schema).filter(([keyword]) => !left.has(keyword));
  return Object.fromEntries(kept.flatMap(([keyword, value]) => loosenedKeyword(keyword, value)));
}

function loosenedKeyword(keyword: string, value: unknown): [string, unknown][] {
  // Whole numbers are only safe ones where it is read.
  if (keyword === 'type') return [['type', value === 'integer' ? 'number' : value]];
  if (plain.has(keyword)) return [[keyword, value]];
  if (below.has(keyword) && !Array.isArray(value)) return [[keyword, loosened(value)]];
  // Weaker members may fit where only one did.
  if ((keyword === 'anyOf' || keyword === 'oneOf') && Array.isArray(value))
    return [['anyOf', value.map(loosened)]];
  if (!named.has(keyword)) return [];
  return [
    [
      keyword,
      Object.fromEntries(Object.entries(Object(value)).map(([name, each]) => [name, loosened(each)])),
    ],
  ];
}
