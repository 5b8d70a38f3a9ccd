import fc from 'fast-check';
import { namedSchemas, type Schema } from './openapi-document.js';

/** Any JSON value of little depth. */
const anyJson = fc.jsonValue({ maxDepth: 2 });

/** Values that attackers and careless programs send. */
const nasty = fc.constantFrom<unknown>(
  null,
  '',
  '$where',
  '\0',
  '\ud800',
  'x'.repeat(600),
  -1,
  0.5,
  1e300,
  true,
  [],
  ['$ne'],
  { $ne: null },
  { $gt: '' },
  { __proto__: null, constructor: { prototype: {} } },
  JSON.parse('{"__proto__":{"admin":true}}'),
  { _bsontype: 'ObjectId' },
);

/** Generates values that a schema allows. A few regular expressions cannot be inverted, and their values may be invalid. */
export function jsonOf(schema: Schema): fc.Arbitrary<unknown> {
  const { $ref, const: constant, enum: options, anyOf, oneOf, type } = schema;
  if (typeof $ref === 'string') return jsonOf(namedSchemas[$ref.split('/').at(-1) ?? ''] ?? {});
  if ('const' in schema) return fc.constant(constant);
  if (Array.isArray(options)) return fc.constantFrom(...options);
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return fc.oneof(...choices.map(jsonOf));
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(jsonOf(asSchema(schema.items)), {
        minLength: asNumber(schema.minItems, 0),
        maxLength: 4,
      });
    case 'integer':
      return fc.integer({ min: asNumber(schema.minimum, -5), max: asNumber(schema.maximum, 2 ** 40) });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return stringOf(schema);
    default:
      return anyJson;
  }
}

/** Generates values that a schema allows, often with something wrong in them. */
export function almostJsonOf(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 3, arbitrary: jsonOf(schema) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(jsonOf(schema), fc.nat(), nasty)
        .map(([value, at, wrong]) => spoil(value, at, wrong)),
    },
    { weight: 1, arbitrary: fc.oneof(nasty, anyJson) },
  );
}

function objectOf({ properties, required }: Schema): fc.Arbitrary<unknown> {
  const members = Object.entries(asSchema(properties)).map(
    ([name, member]) => [name, jsonOf(asSchema(member))] as const,
  );
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name);
  const parts = members.map(([name, member]) =>
    (isRequired(name) ? member : fc.option(member, { nil: undefined })).map(
      (value) => [name, value] as const,
    ),
  );
  return fc
    .tuple(...parts)
    .map((pairs) => Object.fromEntries(pairs.filter(([, value]) => value !== undefined)));
}

const durations = fc
  .tuple(fc.nat(100), fc.constantFrom('ms', 's', 'm', ' h', 'd'))
  .map((parts) => parts.join(''));
const names = fc.constantFrom(
  'echo',
  'anything',
  'failing',
  'settled',
  'queued',
  'tick',
  'UTC',
  '0 9 * * MON',
);

function stringOf({ format, pattern, maxLength, minLength }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2200-01-01') })
      .map((date) => date.toISOString());
  if (pattern === '[A-Za-z]$') return fc.oneof(durations, fc.stringMatching(/^[a-z0-9 .]{0,9}[A-Za-z]$/));
  if (pattern === '^\\d{1,13}$|[A-Za-z]$')
    return fc.oneof(durations, fc.nat().map(String), fc.stringMatching(/^[0-9]{1,14}$/));
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  const bounds = { minLength: asNumber(minLength, 0), maxLength: Math.min(20, asNumber(maxLength, 20)) };
  return fc.oneof(names, fc.string({ ...bounds, unit: 'grapheme' }));
}

/** Replaces a member with something wrong, adds an unknown one, or removes one. */
function spoil(value: unknown, at: number, wrong: unknown): unknown {
  if (typeof value !== 'object' || value === null) return wrong;
  const entries = Object.entries(value);
  const index = at % (entries.length + 1);
  const [name, member] = entries[index] ?? ['unknown', wrong];
  const inner = at % 2 === 0 ? wrong : spoil(member, at >> 2, wrong);
  if (Array.isArray(value)) return [...value.slice(0, index), inner];
  const others = entries.filter(([key]) => key !== name);
  if (at % 5 === 0 && index < entries.length) return Object.fromEntries(others);
  return Object.fromEntries([...others, [name, inner]]);
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function asNumber(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
