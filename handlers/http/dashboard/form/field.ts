import * as z from 'zod';

/**
 * A field of a form, made from the JSON Schema of an input. If a schema has no control of its own, as for a record or a
 * union, the user is asked for JSON.
 */
export type Field = Description &
  (
    | {
        readonly kind: 'text';
        readonly type: 'text' | 'url' | 'email';
        readonly isLong: boolean;
        /** Whether an empty text is a value of its own. A control left blank means that there is no value. */
        readonly mayBeEmpty: boolean;
        /** Id of the `datalist` with suggestions. */
        readonly list?: string;
      }
    | {
        readonly kind: 'number';
        readonly isWhole: boolean;
        readonly minimum?: number;
        readonly maximum?: number;
      }
    | { readonly kind: 'yesOrNo' }
    | { readonly kind: 'choice'; readonly values: readonly Choice[] }
    | { readonly kind: 'list'; readonly item: Field }
    | { readonly kind: 'object'; readonly members: readonly Member[] }
    | { readonly kind: 'json' }
  );

export type Choice = string | number | boolean | null;

export interface Member {
  readonly name: string;
  readonly isRequired: boolean;
  readonly field: Field;
}

interface Description {
  readonly title?: string | undefined;
  readonly hint?: string | undefined;
}

const schemaSchema = z.looseObject({
  type: z.unknown().optional(),
  title: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  format: z.string().optional(),
  enum: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  const: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
});

type Schema = z.output<typeof schemaSchema>;

export const jsonField: Field = { kind: 'json' };

/** Maximum depth of a form. People do not fill in deeper ones. */
const MAX_DEPTH = 5;

/** Returns the field for a schema. @param schema JSON Schema, parsed */
export function toField(schema: unknown, depth = 0): Field {
  const { data } = schemaSchema.safeParse(schema);
  if (!data || depth > MAX_DEPTH) return jsonField;
  return { ...shapeOf(data, depth), title: data.title, hint: hintOf(data) };
}

/** Returns a hint with the field's description and its default. */
function hintOf({ description, default: standard }: Schema): string | undefined {
  const text = defaultText(standard);
  if (text === undefined) return description;
  return [description?.replace(/\.$/, ''), `Default: ${text}`].filter((part) => part).join('. ');
}

/** Returns a default as text. Undefined if an empty control stands for the default anyway. */
function defaultText(standard: unknown): string | undefined {
  switch (typeof standard) {
    case 'string':
      return standard === '' ? undefined : standard;
    case 'number':
      return String(standard);
    case 'boolean':
      return standard ? 'yes' : 'no';
    default:
      return standard === undefined || /^(null|\[\]|{})$/.test(JSON.stringify(standard))
        ? undefined
        : JSON.stringify(standard);
  }
}

function shapeOf(schema: Schema, depth: number): Field {
  const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (values) return { kind: 'choice', values };
  switch (schema.type) {
    case 'string':
      return {
        kind: 'text',
        type: textType(schema.format),
        isLong: (schema.maxLength ?? 0) > 200,
        mayBeEmpty: mayBeEmpty(schema),
      };
    case 'number':
    case 'integer':
      return { kind: 'number', isWhole: schema.type === 'integer', ...bounds(schema) };
    case 'boolean':
      return { kind: 'yesOrNo' };
    case 'array':
      return isAny(schema.items) ? jsonField : { kind: 'list', item: toField(schema.items, depth + 1) };
    case 'object':
      return objectField(schema, depth);
    default:
      return jsonField;
  }
}

function objectField({ properties = {}, required = [] }: Schema, depth: number): Field {
  const members = Object.entries(properties).map(([name, schema]) => ({
    name,
    isRequired: required.includes(name),
    field: toField(schema, depth + 1),
  }));
  return members.length === 0 ? jsonField : { kind: 'object', members };
}

/** Returns the bounds of a number. zod writes bounds even for whole numbers without any, and these are left out. */
function bounds({ minimum, maximum }: Schema) {
  return {
    ...(minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
  };
}

function textType(format: string | undefined): 'text' | 'url' | 'email' {
  if (format === 'uri') return 'url';
  return format === 'email' ? 'email' : 'text';
}

/** Returns whether the schema seems to allow an empty text. Formats such as dates and addresses never do. */
function mayBeEmpty({ minLength = 0, format, pattern }: Schema): boolean {
  return minLength === 0 && format === undefined && pattern === undefined;
}

function isAny(schema: unknown): boolean {
  return typeof schema !== 'object' || schema === null || Array.isArray(schema);
}
