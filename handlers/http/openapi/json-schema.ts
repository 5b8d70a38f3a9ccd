import * as z from 'zod';
import { documented } from '../documented.js';

/** JSON Schema, draft 2020-12, as used by OpenAPI 3.1. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Returns a schema as JSON Schema. A schema with an id is added to the components, and a reference is returned.
 *
 * @param io `input` for requests, or `output` for answers. Answers have exactly the known members
 */
export function toJsonSchema(
  schema: z.core.$ZodType,
  io: 'input' | 'output',
  components: Map<string, JsonSchema>,
): JsonSchema {
  const {
    $schema,
    $defs = {},
    ...result
  } = z.toJSONSchema(schema, {
    io,
    metadata: documented,
    unrepresentable: 'any',
    override: describe,
  });
  for (const [id, component] of Object.entries($defs)) components.set(id, withReferences(component));
  return withReferences(result);
}

type Node = Parameters<NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>>[0];

/** Describes dates as text, and replaces schemas that use a function. */
function describe({ zodSchema, jsonSchema }: Node): void {
  const { jsonSchema: told, description, id } = documented.get(zodSchema) ?? {};
  if (told) {
    for (const keyword of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, keyword);
    Object.assign(jsonSchema, told, description !== undefined && { description });
  } else if (zodSchema._zod.def.type === 'date') {
    Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
  }
  if (id !== undefined) delete jsonSchema.id;
}

function withReferences(schema: object): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
}
