import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, RemoteProcessor } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';

const database = useDatabase();

/** What a process without the code says of an input: `accepted`, or why it is refused. */
async function byName(input: z.ZodType, value: unknown): Promise<string> {
  await database.processor().addJobFactory(defineJob({ name: 'judge', input, run: async () => 'fine' }));
  const stranger = new RemoteProcessor({ db: database.db, log: silent });
  return stranger.addJob('judge', value).then(
    () => 'accepted',
    (error: unknown) => String(error),
  );
}

interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
}
const tree: z.ZodType<Tree> = z.object({ value: z.coerce.number(), children: z.array(z.lazy(() => tree)) });

/** JSON that the schema accepts in code, each with what is odd about it. */
const accepted: readonly (readonly [string, z.ZodType, unknown])[] = [
  ['a trimmed text', z.string().trim().max(3), ' abc '],
  [
    'a text that is made upper case',
    z
      .string()
      .toUpperCase()
      .regex(/^[A-Z]{2}$/),
    'ch',
  ],
  ['a number that is made of a text', z.preprocess(Number, z.number()), '5'],
  ['a member with something to fall back on', z.object({ n: z.number().catch(1) }), {}],
  ['an email by a pattern of its own', z.email({ pattern: /^\S+@\S+$/ }), 'root@localhost'],
  ['an email by a pattern with flags', z.email({ pattern: /^[a-z]+@[a-z]+$/i }), 'ROOT@HOST'],
  ['a moment as a text', z.coerce.date(), '2026-01-31T09:05:06Z'],
  ['a moment as milliseconds', z.object({ at: z.coerce.date() }), { at: 0 }],
  ['a moment as a Date', z.object({ at: z.date() }), { at: new Date(0) }],
  ['a moment with an offset', z.iso.datetime({ offset: true }), '2026-01-31T09:05:06+01:00'],
  ['a moment without seconds', z.iso.datetime({ local: true }), '2026-01-31T09:05'],
  ['a GUID that is no UUID', z.guid(), '00000000-0000-9999-0000-000000000000'],
  ['a URL of another protocol', z.url(), 'mailto:a@b'],
  ['base64 of nothing', z.base64(), ''],
  ['a rounded whole number', z.number().overwrite(Math.round).int(), 1.5],
  [
    'a list that is cut',
    z
      .array(z.number())
      .overwrite((list) => list.slice(0, 2))
      .max(2),
    [1, 2, 3],
  ],
  [
    'a text that a check changes',
    z
      .string()
      .check((ctx) => {
        ctx.value = ctx.value.slice(0, 1);
      })
      .max(1),
    'abc',
  ],
  ['a record by numbers', z.record(z.coerce.number(), z.string()), { 1: 'a' }],
  ['a record by trimmed keys', z.record(z.string().trim().max(1), z.number()), { ' a ': 1 }],
  ['a record of a few names', z.partialRecord(z.enum(['a', 'b']), z.number()), { a: 1 }],
  ['a loose record', z.looseRecord(z.string().regex(/^x/), z.number()), { y: 'any', x1: 1 }],
  ['a tuple whose end is missing', z.tuple([z.string(), z.number().optional()]), ['a']],
  ['a tuple with a rest', z.tuple([z.string()], z.coerce.number()), ['a', '1']],
  [
    'a union of two that overlap',
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), n: z.coerce.number() }),
      z.object({ kind: z.literal('b') }),
    ]),
    { kind: 'b' },
  ],
  ['one of two', z.xor([z.string().trim().max(1), z.string().min(5)]), ' a '],
  [
    'two parts that are strict',
    z.intersection(z.strictObject({ a: z.string() }), z.strictObject({ b: z.number() })),
    { a: 'x', b: 1 },
  ],
  ['a template', z.templateLiteral(['id-', z.number()]), 'id-5'],
  [
    'a codec',
    z.codec(z.iso.datetime(), z.date(), {
      decode: (text) => new Date(text),
      encode: (date) => date.toISOString(),
    }),
    '2026-01-31T09:05:06Z',
  ],
  ['a pipe', z.string().pipe(z.transform(Number)).pipe(z.number()), '5'],
  ['a tree', tree, { value: '1', children: [{ value: 2, children: [] }] }],
  ['what any code takes', z.custom((value) => value === 7), 7],
  ['a big number', z.coerce.bigint(), '123'],
  ['a default', z.object({ a: z.string().default('x'), b: z.string().prefault('y') }), {}],
  ['what was told about it', z.string().meta({ minLength: 5, format: 'uuid', description: 'short' }), 'abc'],
  ['an optional of a preprocessed', z.object({ a: z.preprocess((value) => value ?? 1, z.number()) }), {}],
  ['a refined object', z.object({ a: z.string() }).superRefine(() => {}), { a: '' }],
  ['a word for a boolean', z.stringbool(), 'yes'],
  ['an asynchronous refinement', z.object({ a: z.string().refine(async () => true) }), { a: 'x' }],
];

test.each(accepted)('what the code accepts is accepted by name: %s', async (_, schema, value) => {
  expect((await schema.safeParseAsync(value)).success).toBe(true);
  expect(await byName(schema, value)).toBe('accepted');
});

describe('what is certainly wrong is still refused by name', () => {
  test.each<[string, z.ZodType, unknown]>([
    ['another type', z.object({ n: z.number() }), { n: '5' }],
    ['a member that is missing', z.object({ n: z.number() }), {}],
    ['an unknown member', z.strictObject({ n: z.number() }), { n: 1, m: 2 }],
    ['too long', z.string().max(3), 'abcd'],
    ['another pattern', z.string().regex(/^a/), 'b'],
    ['no email', z.email(), 'nobody'],
    ['none of a union', z.union([z.string(), z.number()]), true],
    ['none of the values', z.enum(['a', 'b']), 'c'],
    ['too small', z.int().min(1), 0],
    ['in a list', z.array(z.int()), [1, 'a']],
    ['in a record', z.record(z.string(), z.number()), { a: 'x' }],
  ])('%s', async (_, schema, value) => {
    expect(await byName(schema, value)).toContain("Input of job 'judge' is invalid");
  });
});

const texts = [
  '',
  'a',
  ' abc ',
  'ch',
  'CH',
  '5',
  '-1.5',
  'id-5',
  'a@b.co',
  'ROOT@HOST',
  'true',
  '2026-01-31',
  '2026-01-31T09:05:06Z',
  '2026-01-31T09:05',
  'aGk=',
  'http://a.b',
  '10.0.0.1',
  '::1',
  '00000000-0000-0000-0000-000000000000',
  'éé',
  '🎉',
];
const names = fc.constantFrom('a', 'b', 'c', '1', ' a ');

const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'value' },
    { weight: 6, arbitrary: fc.constantFrom<unknown>(...texts) },
    { weight: 3, arbitrary: fc.constantFrom<unknown>(0, -1, 1, 2.5, 5, 1e21, true, false, null) },
    { weight: 3, arbitrary: fc.dictionary(names, tie('value'), { maxKeys: 3, noNullPrototype: true }) },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
  ),
})).value;

const textSchemas = fc.constantFrom<z.ZodType>(
  z.string(),
  z.string().min(1),
  z.string().max(3),
  z.string().trim().max(3),
  z.string().toLowerCase().max(2),
  z.string().regex(/^[a-z]+$/),
  z.string().regex(/^[a-z]+$/i),
  z.string().startsWith('a').endsWith('a'),
  z.string().length(2),
  z.string().normalize().min(1),
  z.email(),
  z.url(),
  z.guid(),
  z.uuid(),
  z.ipv4(),
  z.ipv6(),
  z.base64(),
  z.base64url(),
  z.jwt(),
  z.iso.date(),
  z.iso.datetime(),
  z.iso.datetime({ local: true, offset: true }),
  z.iso.time(),
  z.iso.duration(),
  z.emoji(),
  z.cidrv4(),
  z.e164(),
  z.hex(),
  z.hostname(),
  z.stringbool(),
  z.templateLiteral(['id-', z.number()]),
  z.nanoid(),
  z.cuid2(),
  z.string().lowercase(),
);
const otherSchemas = fc.constantFrom<z.ZodType>(
  z.number(),
  z.int(),
  z.int32(),
  z.number().min(1).max(5),
  z.number().multipleOf(0.5),
  z.number().positive(),
  z.boolean(),
  z.null(),
  z.coerce.number(),
  z.coerce.string(),
  z.coerce.boolean(),
  z.coerce.date(),
  z.coerce.bigint(),
  z.date(),
  z.bigint(),
  z.any(),
  z.unknown(),
  z.never(),
  z.undefined(),
  z.void(),
  z.nan(),
  z.symbol(),
  z.literal(['a', 5, null]),
  z.enum(['a', 'ch']),
  z.json(),
  z.custom(() => true),
  z.number().overwrite(Math.abs).min(0),
  z.preprocess(Number, z.number()),
  z.map(z.string(), z.string()),
  tree,
);

const schemas = fc.letrec<{ schema: z.ZodType }>((tie) => {
  const inner = tie('schema');
  const shape = fc.dictionary(names, inner, { maxKeys: 3, noNullPrototype: true });
  return {
    schema: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'schema' },
      { weight: 4, arbitrary: textSchemas },
      { weight: 4, arbitrary: otherSchemas },
      shape.map((members) => z.object(members)),
      shape.map((members) => z.strictObject(members)),
      shape.map((members) => z.looseObject(members).refine(() => true)),
      shape.map((members) => z.object(members).partial()),
      fc.tuple(shape, inner).map(([members, rest]) => z.object(members).catchall(rest)),
      inner.map((schema) => z.array(schema)),
      inner.map((schema) => z.array(schema).min(1).max(2)),
      fc
        .array(inner, { minLength: 1, maxLength: 3 })
        .map(([first = z.any(), ...rest]) => z.tuple([first, ...rest])),
      fc.tuple(inner, inner).map(([first, rest]) => z.tuple([first], rest)),
      fc.tuple(inner, inner).map((options) => z.union(options)),
      fc.tuple(inner, inner).map((options) => z.xor(options)),
      fc.tuple(inner, inner).map(([left, right]) => z.intersection(left, right)),
      fc
        .tuple(shape, shape)
        .map(([left, right]) => z.intersection(z.strictObject(left), z.strictObject(right))),
      inner.map((schema) => z.record(z.string(), schema)),
      inner.map((schema) => z.record(z.string().trim().max(1), schema)),
      inner.map((schema) => z.partialRecord(z.enum(['a', 'b']), schema)),
      inner.map((schema) => z.record(z.enum(['a', 'b']), schema)),
      inner.map((schema) => z.looseRecord(z.string().regex(/^a/), schema)),
      inner.map((schema) => schema.optional()),
      inner.map((schema) => schema.nullable()),
      inner.map((schema) => schema.catch(null)),
      inner.map((schema) => schema.default(null)),
      inner.map((schema) => schema.readonly()),
      inner.map((schema) => schema.transform((value) => [value])),
      inner.map((schema) => schema.refine(() => true)),
      inner.map((schema) => schema.optional().nonoptional()),
      inner.map((schema) => z.lazy(() => schema)),
      inner.map((schema) =>
        z.preprocess((value) => (typeof value === 'string' ? value.trim() : value), schema),
      ),
      inner.map((schema) => schema.meta({ description: 'x', maxLength: 0 })),
      fc.tuple(inner, inner).map(([first, second]) => first.pipe(z.transform((value) => value)).pipe(second)),
    ),
  };
}).schema;

test('no valid input is refused by name, whatever the schema', async () => {
  const owner = database.processor();
  const stranger = new RemoteProcessor({ db: database.db, log: silent });
  let judged = 0;
  await fc.assert(
    fc.asyncProperty(schemas, fc.array(values, { minLength: 20, maxLength: 20 }), async (schema, inputs) => {
      const valid = inputs.filter((input) => isAccepted(schema, input));
      judged += valid.length;
      if (valid.length === 0) return;
      await owner.addJobFactory(defineJob({ name: 'judge', input: schema, run: async () => null }));
      await stranger.addJobs(valid.map((input) => ({ name: 'judge', input })));
    }),
    { numRuns: 100 },
  );
  expect(judged).toBeGreaterThan(150);
});

/** A preprocessing may throw, and a default that does not go with what it stands for. */
function isAccepted(schema: z.ZodType, input: unknown): boolean {
  try {
    return schema.safeParse(input).success;
  } catch {
    return false;
  }
}
