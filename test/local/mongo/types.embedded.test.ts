import { BSON } from 'bson';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { expect, test } from 'vitest';
import { freshName, type Numbered, useServer } from './server.js';

const server = useServer();

/** One value of every BSON type, and those that a careless conversion would change. */
const values: Record<string, unknown> = {
  'an int': new Int32(1),
  'a double without a fraction': new Double(1),
  'a negative zero': new Double(-0),
  'a double beyond int32': new Double(2 ** 40),
  NaN: new Double(Number.NaN),
  'a small long': Long.fromNumber(1),
  'the greatest long': Long.MAX_VALUE,
  'a decimal with its zeros': Decimal128.fromString('1.500'),
  'a string of zero bytes and surrogates': '\0é𝄞',
  'a binary': new Binary(Buffer.from([1, 2, 3]), 0x80),
  'a UUID': new UUID(),
  'an ObjectId': new ObjectId(),
  'a boolean': false,
  'a date before 1970': new Date(-1),
  'a timestamp': new Timestamp({ t: 4_000_000_000, i: 7 }),
  null: null,
  'a regular expression': new BSONRegExp('^a', 'imx'),
  code: new Code('1 + 1'),
  'code with scope': new Code('x', { x: 1 }),
  'a symbol': new BSONSymbol('s'),
  MinKey: new MinKey(),
  MaxKey: new MaxKey(),
  'a document like a DBRef': { $ref: 'c', $id: new Int32(1), more: true },
  'a document with $-names and dots': { $set: { 'a.b': new Int32(1) }, '': new Int32(0) },
  'an array of arrays': [[new Int32(1)], [], {}],
};

test.each(Object.entries(values))(
  '%s comes back as it was, also after an update of its document',
  async (_, value) => {
    const collection = server.db.collection<Numbered>(freshName());
    await collection.insertOne({ _id: 1, value });
    await collection.updateOne({ _id: 1 }, { $set: { other: 1 } });
    await collection.updateOne({ _id: 1 }, [{ $set: { other: 2 } }]);
    const bytes = await collection.findOne({ _id: 1 }, { raw: true });
    const expected = BSON.serialize({ _id: 1, value, other: 2 });
    expect(Buffer.compare(bytes as unknown as Buffer, expected)).toBe(0);
  },
);

test('fields with numbers for names stay where they were behind an _id', async () => {
  const name = freshName();
  const fields = new Map([
    ['_id', 1],
    ['b', 1],
    ['5', 2],
  ]);
  await server.db.command({ insert: name, documents: [fields] });
  const bytes = await server.db.collection(name).findOne({}, { raw: true });
  expect(Buffer.compare(bytes as unknown as Buffer, BSON.serialize(fields))).toBe(0);
});

/** What JSON can hold that is dangerous as an object. */
const hostile = JSON.parse(
  '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"$where":"1"}',
);

test.each<[string, (collection: ReturnType<typeof numbered>) => Promise<unknown>]>([
  ['inserted', (collection) => collection.insertOne({ _id: 1, input: hostile })],
  [
    'set',
    async (collection) => {
      await collection.insertOne({ _id: 1 });
      await collection.updateOne({ _id: 1 }, { $set: { input: hostile } });
    },
  ],
  [
    'pushed',
    async (collection) => {
      await collection.insertOne({ _id: 1, list: [] });
      await collection.updateOne({ _id: 1 }, { $push: { list: hostile } } as Document);
      await collection.updateOne({ _id: 1 }, [{ $set: { input: { $first: '$list' }, list: '$$REMOVE' } }]);
    },
  ],
  [
    'set by a pipeline',
    async (collection) => {
      await collection.insertOne({ _id: 1 });
      await collection.updateOne({ _id: 1 }, [{ $set: { input: { $literal: hostile } } }]);
    },
  ],
  [
    'replaced',
    async (collection) => {
      await collection.insertOne({ _id: 1 });
      await collection.replaceOne({ _id: 1 }, { input: hostile });
    },
  ],
])('a document with __proto__ that is %s stays what it is and pollutes nothing', async (_, write) => {
  const collection = numbered();
  await write(collection);
  const found = await collection.findOne({ _id: 1 });
  expect(JSON.stringify(found)).toBe(JSON.stringify({ _id: 1, input: hostile }));
  const projected = await collection.findOne({ _id: 1 }, { projection: { input: 1, _id: 0 } });
  expect(JSON.stringify(projected?.input)).toBe(JSON.stringify(hostile));
  expect(await collection.countDocuments({ input: { $eq: hostile } })).toBe(1);
  expect(({} as Document).polluted).toBeUndefined();
});

function numbered() {
  return server.db.collection<Numbered>(freshName());
}

test('the _id is put first, a missing one is made by the server’s clock', async () => {
  const name = freshName();
  await server.db.command({ insert: name, documents: [{ a: 1 }] });
  const found = await server.db.collection(name).findOne();
  expect(Object.keys(found ?? {})).toEqual(['_id', 'a']);
  expect(found?._id.getTimestamp()).toEqual(new Date(server.now));
});

test.each<[string, Document, unknown]>([
  ['int + int', { $add: [1, 2] }, new Int32(3)],
  ['int + int beyond int32', { $add: [2_147_483_647, 1] }, Long.fromNumber(2_147_483_648)],
  ['int + long', { $add: [1, Long.fromNumber(2)] }, Long.fromNumber(3)],
  ['int + double', { $add: [1, new Double(2)] }, new Double(3)],
  [
    'decimal + double',
    { $add: [Decimal128.fromString('0.1'), new Double(0.2)] },
    Decimal128.fromString('0.300000000000000'),
  ],
  ['date + int', { $add: [new Date(1), 2] }, new Date(3)],
  ['date - date', { $subtract: [new Date(5), new Date(2)] }, Long.fromNumber(3)],
  ['int * int beyond int32', { $multiply: [65_536, 65_536] }, Long.fromNumber(2 ** 32)],
  ['int / int', { $divide: [4, 2] }, new Double(2)],
  ['null + int', { $add: [null, 1] }, null],
  ['$type', { $type: Long.fromNumber(1) }, 'long'],
  [
    '$toString of an ObjectId',
    { $toString: new ObjectId('0123456789abcdef01234567') },
    '0123456789abcdef01234567',
  ],
  ['$toDate of a long', { $toDate: Long.fromNumber(7) }, new Date(7)],
  ['$ifNull', { $ifNull: ['$missing', 1] }, new Int32(1)],
  ['$cond', { $cond: [{ $gt: [Long.fromNumber(2), 1] }, 'yes', 'no'] }, 'yes'],
  ['$in', { $in: [Long.fromNumber(1), [1]] }, true],
  ['$max', { $max: [1, Long.fromNumber(5), 2] }, Long.fromNumber(5)],
  ['$size', { $size: [[1, 2]] }, new Int32(2)],
  ['$abs of a long', { $abs: Long.fromNumber(-3) }, Long.fromNumber(3)],
  ['$mod of longs', { $mod: [Long.fromNumber(7), 4] }, Long.fromNumber(3)],
  ['$floor of a double', { $floor: 1.5 }, new Double(1)],
  ['$and of a zero long', { $and: [Long.ZERO] }, false],
  ['$toInt', { $toInt: '7' }, new Int32(7)],
  ['$toLong', { $toLong: 7 }, Long.fromNumber(7)],
  ['$toDouble', { $toDouble: 7 }, new Double(7)],
])('the expression %s gives MongoDB’s value and type', async (_, expression, expected) => {
  const collection = numbered();
  await collection.insertOne({ _id: 1 });
  const found = await collection.findOne({}, { projection: { _id: 0, v: expression }, promoteValues: false });
  expect(BSON.EJSON.stringify(found, { relaxed: false })).toBe(
    BSON.EJSON.stringify({ v: expected }, { relaxed: false }),
  );
});
