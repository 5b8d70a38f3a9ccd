import type { Collection, Document } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { freshName, type Numbered, refusal, useServer } from './server.js';

const server = useServer();

async function filled(...docs: Numbered[]): Promise<Collection<Numbered>> {
  const collection = server.db.collection<Numbered>(freshName());
  if (docs.length > 0) await collection.insertMany(docs);
  return collection;
}

const all = (collection: Collection<Numbered>) => collection.find().sort({ _id: 1 }).toArray();
const source = () => filled({ _id: 1, n: 1 }, { _id: 2, n: 2 }, { _id: 3, n: 3 });

describe('$out', () => {
  test('puts the results in the place of a collection, whose indexes stay, and returns none', async () => {
    const [from, to] = [await source(), await filled({ _id: 9, n: 9 })];
    await to.createIndex({ n: -1 }, { unique: true, name: 'n' });
    const stages = [{ $match: { n: { $gt: 1 } } }, { $set: { m: '$n' } }, { $out: to.collectionName }];
    expect(await from.aggregate(stages).toArray()).toEqual([]);
    expect(await all(to)).toEqual([
      { _id: 2, n: 2, m: 2 },
      { _id: 3, n: 3, m: 3 },
    ]);
    expect(await to.indexes()).toMatchObject([{ name: '_id_' }, { name: 'n', unique: true, key: { n: -1 } }]);
  });

  test('makes a collection, in another database too, and also without results', async () => {
    const [from, coll, db] = [await source(), freshName(), freshName()];
    await from.aggregate([{ $limit: 1 }, { $out: { db, coll } }]).toArray();
    expect(await server.client.db(db).collection(coll).find().toArray()).toHaveLength(1);
    await from.aggregate([{ $match: { n: 9 } }, { $out: coll }]).toArray();
    expect(await server.db.listCollections({ name: coll }).toArray()).toHaveLength(1);
  });

  test('may replace what it reads', async () => {
    const from = await source();
    await from.aggregate([{ $match: { n: 2 } }, { $unset: '_id' }, { $out: from.collectionName }]).toArray();
    expect(await from.find().toArray()).toEqual([{ _id: expect.anything(), n: 2 }]);
  });

  test('changes nothing after an error', async () => {
    const [from, to] = [await source(), await filled({ _id: 9 })];
    const stages = [{ $set: { _id: 1 } }, { $out: to.collectionName }];
    expect(await refusal(from.aggregate(stages).toArray())).toMatchObject({ code: 11000 });
    expect(await all(to)).toEqual([{ _id: 9 }]);
  });
});

describe('$merge', () => {
  const target = () => filled({ _id: 2, old: true }, { _id: 4, old: true });

  test.each<[Document, Numbered[]]>([
    [
      {},
      [
        { _id: 1, n: 1 },
        { _id: 2, old: true, n: 2 },
        { _id: 3, n: 3 },
        { _id: 4, old: true },
      ],
    ],
    [
      { whenMatched: 'replace' },
      [
        { _id: 1, n: 1 },
        { _id: 2, n: 2 },
        { _id: 3, n: 3 },
        { _id: 4, old: true },
      ],
    ],
    [
      { whenMatched: 'keepExisting' },
      [
        { _id: 1, n: 1 },
        { _id: 2, old: true },
        { _id: 3, n: 3 },
        { _id: 4, old: true },
      ],
    ],
    [
      { whenNotMatched: 'discard' },
      [
        { _id: 2, old: true, n: 2 },
        { _id: 4, old: true },
      ],
    ],
    [
      { whenMatched: 'replace', whenNotMatched: 'discard' },
      [
        { _id: 2, n: 2 },
        { _id: 4, old: true },
      ],
    ],
    [
      { whenMatched: [{ $set: { sum: { $add: ['$_id', '$$new.n'] } } }] },
      [
        { _id: 1, n: 1 },
        { _id: 2, old: true, sum: 4 },
        { _id: 3, n: 3 },
        { _id: 4, old: true },
      ],
    ],
    [
      {
        let: { twice: { $multiply: ['$n', 2] } },
        whenMatched: [{ $set: { twice: '$$twice' } }],
        whenNotMatched: 'discard',
      },
      [
        { _id: 2, old: true, twice: 4 },
        { _id: 4, old: true },
      ],
    ],
  ])('with %j', async (options, expected) => {
    const [from, to] = [await source(), await target()];
    expect(await from.aggregate([{ $merge: { into: to.collectionName, ...options } }]).toArray()).toEqual([]);
    expect(await all(to)).toEqual(expected);
  });

  test('stops at an error; what came before stays', async () => {
    const [from, to] = [await source(), await target()];
    const merge = (options: Document) =>
      refusal(
        from
          .aggregate([{ $sort: { _id: 1 } }, { $merge: { into: to.collectionName, ...options } }])
          .toArray(),
      );
    expect(await merge({ whenMatched: 'fail' })).toMatchObject({ code: 11000 });
    expect(await all(to)).toEqual([
      { _id: 1, n: 1 },
      { _id: 2, old: true },
      { _id: 4, old: true },
    ]);
    expect(await merge({ whenNotMatched: 'fail' })).toMatchObject({ code: 13113 });
    expect(await all(to)).toEqual([
      { _id: 1, n: 1 },
      { _id: 2, old: true, n: 2 },
      { _id: 4, old: true },
    ]);
  });

  test('by other fields than _id, which a unique index has, in another database', async () => {
    const [from, db] = [await source(), server.client.db(freshName())];
    const to = db.collection<Numbered>('to');
    await to.createIndex({ k: 1, 'in.n': 1 }, { unique: true });
    await to.insertOne({ _id: 7, k: 'a', in: { n: 2 } });
    const shaped = { $project: { _id: 0, k: 'a', in: { n: '$n' }, seen: { $literal: true } } };
    const into = { db: db.databaseName, coll: 'to' };
    await from.aggregate([shaped, { $merge: { into, on: ['in.n', 'k'] } }]).toArray();
    const found = await to.find().sort({ 'in.n': 1 }).toArray();
    expect(found).toEqual(
      [1, 2, 3].map((n) => ({ _id: n === 2 ? 7 : expect.anything(), k: 'a', in: { n }, seen: true })),
    );
  });
});

const sub = (stage: Document) => ({ coll: 'x', pipeline: [stage] });

test.each<[Document[], number]>([
  [[{ $out: 1 }], 16990],
  [[{ $out: { db: 'a' } }], 40414],
  [[{ $out: { coll: 'a' } }], 40414],
  [[{ $out: { db: 'a', coll: 'b', foo: 1 } }], 40415],
  [[{ $out: 'a$b' }], 73],
  [[{ $out: 'system.users' }], 17385],
  [[{ $out: { db: 'admin', coll: 'a' } }], 31321],
  [[{ $out: 'a' }, { $limit: 1 }], 40601],
  [[{ $facet: { a: [{ $out: 'a' }] } }], 40600],
  [[{ $lookup: { from: 'x', as: 'a', pipeline: [{ $merge: 'a' }] } }], 51047],
  [[{ $unionWith: sub({ $out: 'a' }) }], 31441],
  [[{ $merge: 1 }], 14],
  [[{ $merge: {} }], 40414],
  [[{ $merge: { into: 1 } }], 51178],
  [[{ $merge: { into: 'a', foo: 1 } }], 40415],
  [[{ $merge: { into: 'system.x' } }], 31319],
  [[{ $merge: { into: { db: 'config', coll: 'a' } } }], 31320],
  [[{ $merge: { into: 'a', on: 1 } }], 51186],
  [[{ $merge: { into: 'a', on: [] } }], 51187],
  [[{ $merge: { into: 'a', on: [1] } }], 51134],
  [[{ $merge: { into: 'a', on: ['b', 'b'] } }], 31465],
  [[{ $merge: { into: 'a', on: 'n' } }], 51183],
  [[{ $merge: { into: 'a', whenMatched: 1 } }], 51191],
  [[{ $merge: { into: 'a', whenMatched: 'x' } }], 2],
  [[{ $merge: { into: 'a', whenNotMatched: 'x' } }], 2],
  [[{ $merge: { into: 'a', whenNotMatched: 1 } }], 14],
  [[{ $merge: { into: 'a', whenMatched: 'fail', whenNotMatched: 'discard' } }], 51181],
  [[{ $merge: { into: 'a', whenMatched: 'keepExisting', whenNotMatched: 'fail' } }], 51181],
  [[{ $merge: { into: 'a', whenMatched: [{ $limit: 1 }] } }], 72],
  [[{ $merge: { into: 'a', let: { b: 1 } } }], 51199],
  [[{ $merge: { into: 'a', whenMatched: [], let: { new: 1 } } }], 51273],
])('%j is refused with MongoDB’s error %i', async (pipeline, code) => {
  const from = await source();
  expect(await refusal(from.aggregate(pipeline).toArray())).toMatchObject({ code });
});

test.each<[unknown, number]>([
  [null, 51132],
  [[1], 51185],
])('a $merge by a field that is %j is refused with MongoDB’s error %i', async (k, code) => {
  const [from, to] = [await source(), await filled()];
  await to.createIndex({ k: 1 }, { unique: true });
  const stages = [{ $set: { k: { $literal: k } } }, { $merge: { into: to.collectionName, on: 'k' } }];
  expect(await refusal(from.aggregate(stages).toArray())).toMatchObject({ code });
});

test.each([{ $out: 'x' }, { $merge: 'x' }])(
  '%j is refused in a transaction, and into a view',
  async (stage) => {
    const [from, view] = [await source(), freshName()];
    await server.client.withSession(async (session) => {
      session.startTransaction();
      expect(await refusal(from.aggregate([stage], { session }).toArray())).toMatchObject({ code: 263 });
      await session.abortTransaction().catch(() => undefined);
    });
    await server.db.createCollection(view, { viewOn: from.collectionName, pipeline: [] });
    const [name = ''] = Object.keys(stage);
    expect(await refusal(from.aggregate([{ [name]: view }]).toArray())).toMatchObject({ code: 166 });
  },
);
