import { BSON, Decimal128, Double, Long, ObjectId } from 'bson';
import fc from 'fast-check';
import type { Document } from 'mongodb';
import { expect, test } from 'vitest';
import { compare } from '../../../local/mongo/bson/compare.js';
import { decode } from '../../../local/mongo/bson/decode.js';
import { partOffsets } from '../../../local/mongo/storage/key-parts.js';
import { compareBytes, keyString } from '../../../local/mongo/storage/key-string.js';
import { encode } from '../../../local/mongo/wire/message.js';
import { freshName, type Numbered, useServer } from './server.js';

const server = useServer();

const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double(),
  fc.integer().map((value) => new Double(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc
    .tuple(fc.integer(), fc.integer({ min: -20, max: 20 }))
    .map(([c, e]) => Decimal128.fromString(`${c}E${e}`)),
);
const scalar = fc.oneof(
  number,
  fc.constant(null),
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
);
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 2 }, scalar, fc.array(tie('value'), { maxLength: 3 }), tie('doc')),
  doc: fc.dictionary(fc.constantFrom('a', 'b', '__proto__', '$x', 'y.z'), tie('value'), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
})).value;

test('encoded keys compare as the values do, ascending and descending', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const order = Math.sign(compare(a, b));
      expect(Math.sign(compareBytes(keyString([a], [1]), keyString([b], [1])))).toBe(order);
      expect(Math.sign(compareBytes(keyString([a], [-1]), keyString([b], [-1])))).toBe(-order || 0);
    }),
    { numRuns: 100 },
  );
});

test('a key can be taken apart into its fields', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(value, fc.constantFrom(1, -1)), { minLength: 1, maxLength: 4 }),
      (fields) => {
        const directions = fields.map(([, direction]) => direction);
        const key = keyString(
          fields.map(([one]) => one),
          directions,
          1,
        );
        const ends = fields.map(
          (_, i) =>
            keyString(
              fields.slice(0, i + 1).map(([one]) => one),
              directions,
            ).length,
        );
        expect(partOffsets(key, directions)).toEqual([0, ...ends]);
      },
    ),
  );
});

test('a document that is decoded and encoded again is the same, byte for byte', () => {
  fc.assert(
    fc.property(value, (one) => {
      const bytes = BSON.serialize({ one });
      expect(Buffer.compare(encode(decode(Buffer.from(bytes))), bytes)).toBe(0);
    }),
    { numRuns: 120 },
  );
});

/** Few values, so that they meet often. */
const small = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom(null, 'a', 'b', new Double(1.5), Long.fromNumber(2), new Date(1)),
);
const field = fc.oneof(small, fc.array(small, { maxLength: 3 }));
const doc = fc
  .record({ a: field, b: field, c: small }, { requiredKeys: [] })
  .filter(({ a, b }) => !(Array.isArray(a) && Array.isArray(b)));
const condition: fc.Arbitrary<unknown> = fc.oneof(
  small,
  fc
    .tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$eq', '$ne'), small)
    .map(([op, operand]) => ({ [op]: operand })),
  fc.array(small, { maxLength: 3 }).map((members) => ({ $in: members })),
  fc.tuple(small, small).map(([low, high]) => ({ $gte: low, $lt: high })),
  fc.boolean().map((exists) => ({ $exists: exists })),
);
const comparison = fc
  .tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$eq'), fc.constantFrom('$a', '$b', '$c'), small)
  .map(([op, path, operand]) => ({ $expr: { [op]: [path, { $literal: operand }] } }));
const filter = fc.oneof(
  fc.dictionary(fc.constantFrom('a', 'b', 'c'), condition, { maxKeys: 3, noNullPrototype: true }),
  fc
    .tuple(
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), condition, { maxKeys: 2, noNullPrototype: true }),
      comparison,
    )
    .map(([one, two]) => ({ ...one, ...two })),
);
const direction = fc.constantFrom(1 as const, -1 as const);
const sort = fc
  .uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .chain((paths) =>
    fc
      .tuple(...paths.map((path) => direction.map((one) => [path, one] as const)))
      .map((pairs) => Object.fromEntries(pairs)),
  );

test('a query gives the same with any indexes as without one, in the same order of the sort', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(doc, { minLength: 1, maxLength: 25 }),
      fc.uniqueArray(fc.tuple(sort, fc.boolean()), {
        minLength: 1,
        maxLength: 3,
        selector: ([key]) => JSON.stringify(key),
      }),
      fc.array(fc.tuple(filter, fc.option(sort)), { minLength: 1, maxLength: 8 }),
      async (docs, indexes, queries) => {
        const name = freshName();
        const collection = server.db.collection<Numbered>(name);
        await collection.insertMany(docs.map((one, i) => ({ ...one, _id: i })));
        for (const [i, [key, sparse]] of indexes.entries())
          await collection.createIndex(key, { name: `i${i}`, sparse });
        for (const [one, order] of queries) {
          const run = (hint: Document | undefined) =>
            collection
              .find(one as Document, hint ? { hint } : {})
              .sort(order ?? {})
              .toArray();
          const [indexed, scanned] = [await run(undefined), await run({ $natural: 1 })];
          expect(keysOf(indexed, order)).toEqual(keysOf(scanned, order));
          expect(indexed.map(({ _id }) => _id).sort((x, y) => x - y)).toEqual(
            scanned.map(({ _id }) => _id).sort((x, y) => x - y),
          );
        }
        await collection.drop();
      },
    ),
    { numRuns: 10 },
  );
}, 120_000);

/** What a result is sorted by, as text; documents that sort alike may come in any order. */
function keysOf(found: Document[], order: Record<string, 1 | -1> | null): string[] {
  const fields = Object.entries(order ?? {});
  return found.map((one) => JSON.stringify(fields.map(([path, way]) => extreme(one[path], way))));
}

function extreme(one: unknown, way: 1 | -1): string {
  const values: unknown[] = Array.isArray(one) ? one : [one ?? null];
  const keys = values.map((element) => Buffer.from(keyString([element], [1]), 'latin1').toString('hex'));
  return (way === 1 ? keys.sort()[0] : keys.sort().at(-1)) ?? 'empty';
}
