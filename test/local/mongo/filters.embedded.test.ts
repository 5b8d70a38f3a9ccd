import { BSONRegExp, Decimal128, type Document, Double, Long, MaxKey, MinKey, ObjectId } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { freshName, type Numbered, refusal, useServer } from './server.js';

const server = useServer();

/** Filters and the documents (by `_id`) that MongoDB finds with them. */
const documents: Document[] = [
  { _id: 0 },
  { _id: 1, a: null },
  { _id: 2, a: 1 },
  { _id: 3, a: new Double(1) },
  { _id: 4, a: Long.fromNumber(1) },
  { _id: 5, a: Decimal128.fromString('1') },
  { _id: 6, a: '1' },
  { _id: 7, a: [1, 2, 3] },
  { _id: 8, a: [] },
  { _id: 9, a: { b: 1 } },
  { _id: 10, a: [{ b: 1 }, { b: 2, c: 3 }] },
  { _id: 11, a: true },
  { _id: 12, a: new Date(1000) },
  { _id: 13, a: Number.NaN },
  { _id: 14, a: [[1, 2]] },
  { _id: 15, a: 'abc' },
  { _id: 16, a: new ObjectId('000000000000000000000001') },
  { _id: 17, a: new MinKey() },
  { _id: 18, a: new MaxKey() },
  { _id: 19, a: { b: 1, c: 2 } },
];

const cases: [Document, number[]][] = [
  [{ a: { $elemMatch: { $not: { $gt: 0 } } } }, [10, 14]],
  [{ a: { $elemMatch: { $not: { $gt: 1 }, $type: 'number' } } }, [7]],
  [{ a: { $elemMatch: { $elemMatch: { $gt: 1 } } } }, [14]],
  [{ $or: [{ a: '1' }, { _id: { $lt: 2 } }], _id: { $gt: 0 } }, [1, 6]],
  [{ a: 1 }, [2, 3, 4, 5, 7]],
  [{ a: null }, [0, 1]],
  [{ a: { $ne: null } }, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]],
  [{ a: { $exists: false } }, [0]],
  [{ a: { $gt: 1 } }, [7]],
  [{ a: { $gte: 1, $lte: 1 } }, [2, 3, 4, 5, 7]],
  [{ a: { $lt: 2 } }, [2, 3, 4, 5, 7]],
  [{ a: { $lte: null } }, [0, 1]],
  [{ a: { $gt: null } }, []],
  [{ a: { $gte: new MinKey() } }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]],
  [{ a: { $gt: '0' } }, [6, 15]],
  [{ a: { $in: [1, 'abc', null] } }, [0, 1, 2, 3, 4, 5, 7, 15]],
  [{ a: { $nin: [1, null] } }, [6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]],
  [{ a: { $in: [/^a/] } }, [15]],
  [{ a: /B/i }, [15]],
  [{ a: [1, 2, 3] }, [7]],
  [{ a: [1, 2] }, [14]],
  [{ a: [] }, [8]],
  [{ 'a.0': 1 }, [7]],
  [{ 'a.b': 1 }, [9, 10, 19]],
  [{ 'a.b': null }, [0, 1, 2, 3, 4, 5, 6, 11, 12, 13, 15, 16, 17, 18]],
  [{ 'a.c': { $exists: true } }, [10, 19]],
  [{ 'a.0.b': 1 }, [10]],
  [{ a: { b: 1 } }, [9, 10]],
  [{ a: { c: 2, b: 1 } }, []],
  [{ a: { $size: 2 } }, [10]],
  [{ a: { $all: [1, 3] } }, [7]],
  [{ a: { $all: [[1, 2]] } }, [14]],
  [{ a: { $elemMatch: { b: 2, c: 3 } } }, [10]],
  [{ a: { $elemMatch: { $gt: 1, $lt: 3 } } }, [7]],
  [{ a: { $type: 'number' } }, [2, 3, 4, 5, 7, 13]],
  [{ a: { $type: 'array' } }, [7, 8, 10, 14]],
  [{ a: { $type: ['bool', 9] } }, [11, 12]],
  [{ a: { $mod: [2, 1] } }, [2, 3, 4, 5, 7]],
  [{ a: { $not: { $type: 'number' } } }, [0, 1, 6, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19]],
  [{ a: Number.NaN }, [13]],
  [{ a: { $bitsAllSet: 3 } }, [7]],
  [{ $and: [{ a: 1 }, { a: 2 }] }, [7]],
  [{ $or: [{ a: 'abc' }, { _id: 0 }] }, [0, 15]],
  [{ $nor: [{ a: { $exists: true } }] }, [0]],
  [{ $expr: { $eq: ['$a', null] } }, [1]],
  [{ $expr: { $lt: ['$a', null] } }, [0, 17]],
  [{ $expr: { $gt: ['$a', new Date(0)] } }, [12, 18]],
  [{ $comment: 'no matter', _id: 3 }, [3]],
];

describe('a filter finds what MongoDB finds', async () => {
  const name = freshName();
  test.each(cases)('%j', async (filter, ids) => {
    const collection = server.db.collection<Document>(name);
    if ((await collection.estimatedDocumentCount()) === 0) await collection.insertMany(documents);
    const found = await collection.find(filter).sort({ _id: 1 }).toArray();
    expect(found.map(({ _id }) => _id)).toEqual(ids);
  });
});

describe('a filter that is not valid is refused with MongoDB’s code', () => {
  test.each<[Document, number]>([
    [{ $foo: 1 }, 2],
    [{ a: { $foo: 1 } }, 2],
    [{ $and: [] }, 2],
    [{ $or: 1 }, 2],
    [{ a: { $in: 1 } }, 2],
    [{ a: { $size: -1 } }, 2],
    [{ a: { $mod: [0, 1] } }, 2],
    [{ a: { $type: 'nothing' } }, 2],
    [{ a: { $not: {} } }, 2],
    [{ a: { $regex: '(' } }, 51091],
    [{ a: { $options: 'i' } }, 2],
    [{ $expr: { $foo: 1 } }, 168],
    [{ $where: '1' }, 238],
  ])('%j → %i', async (filter, code) => {
    const collection = server.db.collection(freshName());
    await collection.insertOne({ a: 1 });
    expect(await refusal(collection.find(filter).toArray())).toMatchObject({ code });
  });
});

test('values of different types sort in BSON order', async () => {
  const collection = server.db.collection<Document>(freshName());
  await collection.insertMany(documents.filter(({ a }) => !Array.isArray(a)));
  const sorted = await collection.find().sort({ a: 1, _id: 1 }).toArray();
  expect(sorted.map(({ _id }) => _id)).toEqual([17, 0, 1, 13, 2, 3, 4, 5, 6, 15, 9, 19, 16, 11, 12, 18]);
});

test('an array sorts by its least element ascending, by its greatest descending', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertMany([
    { _id: 1, a: [3, 9] },
    { _id: 2, a: 5 },
    { _id: 3, a: [] },
    { _id: 4, a: [1, 4] },
  ]);
  const ids = async (direction: 1 | -1) =>
    (await collection.find().sort({ a: direction }).toArray()).map(({ _id }) => _id);
  expect(await ids(1)).toEqual([3, 4, 1, 2]);
  expect(await ids(-1)).toEqual([1, 2, 4, 3]);
});

describe('a find decodes only the fields that are read', () => {
  const stored = { _id: 1, a: 1, b: { c: [1, 2] }, d: 'text', e: /x/i, f: null, g: 3 };
  const filters: Document[] = [
    { g: 3 },
    { $or: [{ g: 4 }, { $and: [{ 'b.c': 2 }, { f: null }] }] },
    { $nor: [{ a: 2 }, { g: 4 }] },
    { $expr: { $eq: ['$a', { $subtract: ['$g', 2] }] } },
    { $expr: { $eq: [{ $getField: 'g' }, 3] } },
    { $expr: { $eq: ['$$ROOT.g', 3] } },
    { $expr: { $eq: ['$$CURRENT.g', 3] } },
    { $expr: { $let: { vars: { whole: '$$ROOT' }, in: { $eq: ['$$whole.g', 3] } } } },
    { $expr: { $eq: [{ $size: { $objectToArray: '$$ROOT' } }, 7] } },
    { $expr: { $in: [2, { $map: { input: { $ifNull: ['$b.c', []] }, in: '$$this' } }] } },
  ];
  const projections: [Document, Document][] = [
    [{}, { ...stored, e: new BSONRegExp('x', 'i') }],
    [{ g: 1 }, { _id: 1, g: 3 }],
    [
      { _id: 0, 'b.c': true, d: 1 },
      { b: { c: [1, 2] }, d: 'text' },
    ],
    [
      { b: 0, d: 0, e: 0 },
      { _id: 1, a: 1, f: null, g: 3 },
    ],
    [
      { a: 1, sum: { $add: ['$g', 1] } },
      { _id: 1, a: 1, sum: 4 },
    ],
    [
      { 'b.c': { $slice: 1 }, d: 1 },
      { _id: 1, b: { c: [1] }, d: 'text' },
    ],
  ];

  test.each(filters.flatMap((filter) => projections.map((each) => [filter, ...each] as const)))(
    '%j with %j',
    async (filter, projection, expected) => {
      const collection = server.db.collection<Numbered>(freshName());
      await collection.insertMany([stored, { _id: 2 }]);
      await collection.createIndex({ a: 1 });

      const found = await collection
        .find(filter, { projection, bsonRegExp: true })
        .sort({ f: 1, d: -1 })
        .toArray();
      expect(found).toEqual(expect.arrayContaining([expected]));
      expect(await collection.countDocuments({ ...filter, d: 'text' })).toBe(1);
      expect((await collection.deleteMany({ ...filter, d: 'text' })).deletedCount).toBe(1);
      expect(await collection.find({ a: 1 }).hint({ a: 1 }).toArray()).toEqual([]);
    },
  );
});
