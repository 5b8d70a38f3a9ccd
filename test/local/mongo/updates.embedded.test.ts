import { type Document, Double, Int32, Long, Timestamp } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { freshName, type Numbered, refusal, useServer } from './server.js';

const server = useServer();
const MAX_INT = 2_147_483_647;

interface Case {
  readonly before?: Document;
  readonly filter?: Document;
  readonly update: Document | Document[];
  readonly options?: Document;
  readonly after?: Document;
  readonly code?: number;
}

/** An update, the document before it (without `_id`), and the document after it or the code it is refused with. */
const cases: Record<string, Case> = {
  '$set makes the documents on its way': {
    before: {},
    update: { $set: { 'a.b.c': 1 } },
    after: { a: { b: { c: 1 } } },
  },
  '$set fills an array with nulls': {
    before: { a: [1] },
    update: { $set: { 'a.3': 4 } },
    after: { a: [1, null, null, 4] },
  },
  '$set does not enter a scalar': { before: { a: 1 }, update: { $set: { 'a.b': 1 } }, code: 28 },
  '$set does not name a field of an array': { before: { a: [] }, update: { $set: { 'a.b': 1 } }, code: 28 },
  'new fields come in the order of their names': {
    before: {},
    update: { $set: { b: 1, a: 2 } },
    after: { a: 2, b: 1 },
  },
  '$unset of an array element leaves null': {
    before: { a: [1, 2] },
    update: { $unset: { 'a.0': '' } },
    after: { a: [null, 2] },
  },
  '$unset of what is missing does nothing': {
    before: { a: 1 },
    update: { $unset: { 'b.c': '' } },
    after: { a: 1 },
  },
  '$rename to itself': { before: { a: 1 }, update: { $rename: { a: 'a' } }, code: 2 },
  '$set of a name with a dollar': { before: { a: 1 }, update: { $set: { $x: 1 } }, code: 52 },
  '$set of a name with a dollar inside': {
    before: { a: {} },
    update: { $set: { 'a.$x': 1 } },
    after: { a: { $x: 1 } },
  },
  '$inc of a missing field sets it': { before: {}, update: { $inc: { n: 5 } }, after: { n: 5 } },
  '$inc overflows an int into a long': {
    before: { n: MAX_INT },
    update: { $inc: { n: 1 } },
    after: { n: Long.fromNumber(MAX_INT + 1) },
  },
  '$inc by a double gives a double': {
    before: { n: 1 },
    update: { $inc: { n: new Double(1) } },
    after: { n: new Double(2) },
  },
  '$inc of a long past its range is refused': {
    before: { n: Long.MAX_VALUE },
    update: { $inc: { n: 1 } },
    code: 2,
  },
  '$inc of a string is refused': { before: { n: 'x' }, update: { $inc: { n: 1 } }, code: 14 },
  '$inc by a string is refused': { before: { n: 1 }, update: { $inc: { n: 'x' } }, code: 14 },
  '$mul of a missing field gives 0': { before: {}, update: { $mul: { n: 5 } }, after: { n: 0 } },
  '$min and $max compare across types': {
    before: { a: 5, b: 5 },
    update: { $min: { a: 'x' }, $max: { b: 'x' } },
    after: { a: 5, b: 'x' },
  },
  '$rename moves a field': {
    before: { a: 1, c: 3 },
    update: { $rename: { a: 'b.d' } },
    after: { c: 3, b: { d: 1 } },
  },
  '$rename of what is missing does nothing': {
    before: { b: 1 },
    update: { $rename: { a: 'b' } },
    after: { b: 1 },
  },
  '$currentDate takes the server’s clock': {
    before: {},
    update: { $currentDate: { at: true } },
    after: { at: new Date('2026-01-31T12:00:00Z') },
  },
  '$currentDate may give a timestamp': {
    before: {},
    update: { $currentDate: { at: { $type: 'timestamp' } } },
    after: { at: new Timestamp({ t: Date.UTC(2026, 0, 31, 12) / 1000, i: 1 }) },
  },
  $bit: { before: { n: 12 }, update: { $bit: { n: { and: 10 } } }, after: { n: 8 } },
  $push: { before: { a: [1] }, update: { $push: { a: [2] } }, after: { a: [1, [2]] } },
  '$push with all its modifiers': {
    before: { a: [5, 1] },
    update: { $push: { a: { $each: [3, 2], $position: 0, $sort: -1, $slice: 3 } } },
    after: { a: [5, 3, 2] },
  },
  '$push sorts documents by a field': {
    before: { a: [{ n: 2 }] },
    update: { $push: { a: { $each: [{ n: 3 }, { n: 1 }], $sort: { n: 1 }, $slice: -2 } } },
    after: { a: [{ n: 2 }, { n: 3 }] },
  },
  '$push to a scalar is refused': { before: { a: 1 }, update: { $push: { a: 1 } }, code: 2 },
  '$push knows no other clause': { before: {}, update: { $push: { a: { $each: [], $foo: 1 } } }, code: 2 },
  '$addToSet compares numbers by value and documents with their order': {
    before: { a: [1, { x: 1, y: 2 }] },
    update: { $addToSet: { a: { $each: [Long.fromNumber(1), { y: 2, x: 1 }, { x: 1, y: 2 }] } } },
    after: { a: [1, { x: 1, y: 2 }, { y: 2, x: 1 }] },
  },
  $pop: {
    before: { a: [1, 2, 3], b: [1, 2] },
    update: { $pop: { a: 1, b: -1 } },
    after: { a: [1, 2], b: [2] },
  },
  '$pull by value, by condition, by fields': {
    before: { a: [1, 2, 1], b: [1, 5, 9], c: [{ x: 1, y: 1 }, { x: 2 }] },
    update: { $pull: { a: 1, b: { $gt: 4 }, c: { x: 1 } } },
    after: { a: [2], b: [1], c: [{ x: 2 }] },
  },
  $pullAll: { before: { a: [1, 2, 3] }, update: { $pullAll: { a: [1, 3] } }, after: { a: [2] } },
  'the positional $': {
    before: { a: [1, 5, 9] },
    filter: { a: { $gt: 4 } },
    update: { $set: { 'a.$': 0 } },
    after: { a: [1, 0, 9] },
  },
  'the positional $ within documents': {
    before: { a: [{ k: 1 }, { k: 2, v: 0 }] },
    filter: { 'a.k': 2 },
    update: { $inc: { 'a.$.v': 1 } },
    after: { a: [{ k: 1 }, { k: 2, v: 1 }] },
  },
  'the positional $ after $elemMatch': {
    before: {
      a: [
        { k: 1, s: 'x' },
        { k: 1, s: 'y' },
      ],
    },
    filter: { a: { $elemMatch: { k: 1, s: 'y' } } },
    update: { $set: { 'a.$.s': 'z' } },
    after: {
      a: [
        { k: 1, s: 'x' },
        { k: 1, s: 'z' },
      ],
    },
  },
  'the positional $ without a match is refused': {
    before: { a: [1] },
    update: { $set: { 'a.$': 0 } },
    code: 2,
  },
  '$[] means each element': { before: { a: [1, 2] }, update: { $inc: { 'a.$[]': 1 } }, after: { a: [2, 3] } },
  'array filters': {
    before: {
      a: [
        { k: 1, v: [1, 8] },
        { k: 2, v: [9] },
      ],
    },
    update: { $set: { 'a.$[x].v.$[y]': 0 } },
    options: { arrayFilters: [{ 'x.k': 1 }, { y: { $gt: 5 } }] },
    after: {
      a: [
        { k: 1, v: [1, 0] },
        { k: 2, v: [9] },
      ],
    },
  },
  'an identifier without a filter is refused': {
    before: { a: [1] },
    update: { $set: { 'a.$[x]': 0 } },
    code: 2,
  },
  'a filter without use is refused': {
    before: { a: [1] },
    update: { $set: { b: 0 } },
    options: { arrayFilters: [{ x: 1 }] },
    code: 9,
  },
  'two changes of one path are refused': { before: {}, update: { $set: { a: 1 }, $inc: { a: 1 } }, code: 40 },
  'a change below another is refused': { before: {}, update: { $set: { a: 1, 'a.b': 1 } }, code: 40 },
  'the _id cannot be changed': { before: {}, update: { $set: { _id: 2 } }, code: 66 },
  'the same _id is no change': { before: {}, update: { $set: { _id: 1, a: 1 } }, after: { a: 1 } },
  'an unknown operator is refused': { before: {}, update: { $foo: { a: 1 } }, code: 9 },
  'an operator without a document is refused': { before: {}, update: { $set: 1 }, code: 9 },
  'an empty path is refused': { before: {}, update: { $set: { '': 1 } }, code: 56 },
  'a path with an empty part is refused': { before: {}, update: { $set: { 'a..b': 1 } }, code: 56 },
  'a pipeline sees the document and the time': {
    before: { a: 1 },
    update: [{ $set: { b: { $add: ['$a', 1] }, at: '$$NOW' } }, { $unset: 'a' }],
    after: { b: 2, at: new Date('2026-01-31T12:00:00Z') },
  },
  'a pipeline merges a document into a field, as $addFields does': {
    before: { lease: { token: 'x', expires: 1 } },
    update: [{ $set: { lease: { expires: 2 } } }],
    after: { lease: { token: 'x', expires: 2 } },
  },
  'a pipeline takes nothing inside $literal for an expression': {
    before: {},
    update: [{ $set: { a: { $literal: { $add: ['$x', '$$NOW'], 'b.c': '$$ROOT' } } } }],
    after: { a: { $add: ['$x', '$$NOW'], 'b.c': '$$ROOT' } },
  },
  'a pipeline can remove fields by $$REMOVE': {
    before: { a: 1, b: 2 },
    update: [{ $set: { a: '$$REMOVE' } }],
    after: { b: 2 },
  },
  'a pipeline sees let variables': {
    before: {},
    update: [{ $set: { a: '$$x' } }],
    options: { let: { x: { $add: [1, 2] } } },
    after: { a: 3 },
  },
  'a pipeline has no other stages': { before: {}, update: [{ $match: {} }], code: 72 },
};

test.each(Object.entries(cases))(
  '%s',
  async (_, { before, filter = {}, update, options = {}, after, code }) => {
    const collection = server.db.collection<Numbered>(freshName());
    await collection.insertOne({ _id: 1, ...before });
    const attempt = collection.updateOne({ _id: 1, ...filter }, update, options);
    if (code !== undefined) {
      expect(await refusal(attempt)).toMatchObject({ code });
      expect(await collection.findOne()).toEqual({ _id: 1, ...before });
      return;
    }
    await attempt;
    const [stored] = await collection.find({}, { promoteValues: false }).toArray();
    expect(plain(stored)).toEqual(plain({ _id: 1, ...after }));
    expect(Object.keys(stored ?? {})).toEqual(['_id', ...Object.keys(after ?? {})]);
  },
);

/** Numbers with their BSON types, whether the driver or a test made them. */
function plain(value: unknown): unknown {
  if (typeof value === 'number') return { $int: value };
  if (value instanceof Int32) return { $int: value.value };
  if (value instanceof Double) return { $double: value.value };
  if (value instanceof Long && !(value instanceof Timestamp)) return { $long: value.toString() };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || '_bsontype' in value || value instanceof Date)
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

describe('an upsert', () => {
  const upserts: [string, Document, Document, Document][] = [
    [
      'takes equalities of the filter',
      { a: 1, 'b.c': { $eq: 2 }, d: { $gt: 3 } },
      { $set: { e: 5 } },
      { a: 1, b: { c: 2 }, e: 5 },
    ],
    [
      'takes them from $and and from an $in of one',
      { $and: [{ a: 1 }, { b: { $in: [2] } }] },
      { $set: { e: 5 } },
      { a: 1, b: 2, e: 5 },
    ],
    ['applies $setOnInsert', { a: 1 }, { $setOnInsert: { b: 2 }, $inc: { n: 1 } }, { a: 1, b: 2, n: 1 }],
  ];
  test.each(upserts)('%s', async (_, filter, update, inserted) => {
    const collection = server.db.collection<Numbered>(freshName());
    const { upsertedId, upsertedCount, matchedCount } = await collection.updateOne(filter, update, {
      upsert: true,
    });
    expect({ upsertedCount, matchedCount }).toEqual({ upsertedCount: 1, matchedCount: 0 });
    expect(await collection.findOne()).toEqual({ _id: upsertedId, ...inserted });
  });

  test('of a replacement takes the _id only', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    await collection.replaceOne({ _id: 7, a: 1 }, { b: 2 }, { upsert: true });
    expect(await collection.findOne()).toEqual({ _id: 7, b: 2 });
  });

  test('with two values for one field is refused', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    const attempt = collection.updateOne(
      { $and: [{ a: 1 }, { a: 2 }] },
      { $set: { b: 1 } },
      { upsert: true },
    );
    expect(await refusal(attempt)).toMatchObject({ code: 54 });
  });
});

test('an update that changes nothing matches and modifies nothing', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertMany([
    { _id: 1, a: 1 },
    { _id: 2, a: 1 },
  ]);
  const { matchedCount, modifiedCount } = await collection.updateMany({ a: 1 }, { $set: { a: 1 } });
  expect({ matchedCount, modifiedCount }).toEqual({ matchedCount: 2, modifiedCount: 0 });
});

test('what a statement has changed stays when it fails on a later document', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertMany([
    { _id: 1, n: 1 },
    { _id: 2, n: 'x' },
  ]);
  expect(await refusal(collection.updateMany({}, { $inc: { n: 1 } }))).toMatchObject({ code: 14 });
  expect(await collection.find().toArray()).toEqual([
    { _id: 1, n: 2 },
    { _id: 2, n: 'x' },
  ]);
});
