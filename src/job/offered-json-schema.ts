import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

/*
 * Uses the JSON Schema that a schema itself offers ("Standard JSON Schema"), as ArkType's schemas do, and valibot's by
 * `toStandardJsonSchema`. Libraries may interpret parts differently, so only parts with a common meaning are copied.
 * The worker checks the rest.
 */

/**
 * Returns the offered schema as text. Null if there is none, it cannot be written, or it refers to itself by anything
 * except `$ref`.
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

/** Keywords copied unchanged. `format` is only for forms and refuses nothing. */
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

/** Keywords whose value is a schema, and keywords whose value maps names to schemas. */
const below = new Set(['items', 'additionalProperties']);
const named = new Set(['properties', '$defs', 'definitions']);

/**
 * Maps a keyword that is not copied to a second one, which covers the names or items that the first does not. So the second
 * cannot be copied either.
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
  // Zod accepts only safe integers for `integer`.
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
