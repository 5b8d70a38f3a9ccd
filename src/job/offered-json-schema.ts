import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

/*
 * The JSON Schema that a schema offers of itself ("Standard JSON Schema"). ArkType's schemas do, and valibot's by
 * `toStandardJsonSchema`. Libraries may mean it differently, so only parts that all mean alike are copied. The worker
 * judges the rest.
 */

/**
 * Returns the offered schema as text. Null if there is none, it has no such form, or it refers to itself by more than a
 * `$ref`.
 */
export function offeredJsonSchema(schema: StandardSchemaV1): string | null {
  try {
    if (!offers(schema)) return null;
    const offered: unknown = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
    return isJsonSchema(offered) ? JSON.stringify(loosened(offered)) : null;
  } catch {
    return null;
  }
}

/** Returns whether a value is a JSON Schema. Any other value would be stored and read as a schema that accepts anything. */
function isJsonSchema(value: unknown): boolean {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

function offers(schema: StandardSchemaV1): schema is StandardSchemaV1 & StandardJSONSchemaV1 {
  return 'jsonSchema' in schema['~standard'];
}

/** Keywords copied as they are. `format` is for forms and refuses nothing. */
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

/** Keywords with a schema as value, and keywords with schemas by name. */
const below = new Set(['items', 'additionalProperties']);
const named = new Set(['properties', '$defs', 'definitions']);

/**
 * Keywords that are not copied, each with one that then cannot be either. The second covers names or items that the first
 * leaves out.
 */
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
  // The reader accepts only safe integers as whole numbers.
  if (keyword === 'type') return [['type', value === 'integer' ? 'number' : value]];
  if (plain.has(keyword)) return [[keyword, value]];
  if (below.has(keyword) && !Array.isArray(value)) return [[keyword, loosened(value)]];
  // Loosened members may overlap where only one matched before.
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
