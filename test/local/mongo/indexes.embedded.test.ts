import { type Collection, type Document, MaxKey } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { freshName, type Numbered, refusal, useServer } from './server.js';

const server = useServer();

/** The stages of a plan from the outermost in, with the index of a scan, and what the query cost. */
async function explained(collection: Collection<Numbered>, filter: Document, options: Document = {}) {
  const { sort = {}, ...others } = options;
  const reply = await collection.find(filter, others).sort(sort).explain('executionStats');
  const { nReturned, totalKeysExamined: keys, totalDocsExamined: docs } = reply.executionStats;
  return { plan: stages(reply.queryPlanner.winningPlan), nReturned, keys, docs };
}

function stages(stage: Document): string {
  const inner = stage.inputStage ?? stage.inputStages?.[0];
  const name = stage.stage === 'IXSCAN' ? `IXSCAN ${stage.indexName} ${stage.direction}` : stage.stage;
  return inner ? `${name} < ${stages(inner)}` : name;
}

async function thousand(): Promise<Collection<Numbered>> {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertMany(
    Array.from({ length: 1000 }, (_, i) => ({ _id: i, a: i % 10, b: i, tags: [i % 3, i % 5], s: `k${i}` })),
  );
  return collection;
}

describe('a query uses an index', () => {
  test('for one _id: one key, one document', async () => {
    const collection = await thousand();
    expect(await explained(collection, { _id: 7 })).toEqual({
      plan: 'IDHACK',
      nReturned: 1,
      keys: 1,
      docs: 1,
    });
  });

  test('not at all without one', async () => {
    const collection = await thousand();
    expect(await explained(collection, { a: 7 })).toEqual({
      plan: 'COLLSCAN',
      nReturned: 100,
      keys: 0,
      docs: 1000,
    });
  });

  test.each<[string, Document, Document, Document, number, string, number]>([
    ['an equality', { a: 1 }, { a: 3 }, {}, 100, 'FETCH < IXSCAN x forward', 100],
    ['a range', { b: 1 }, { b: { $gte: 10, $lt: 20 } }, {}, 10, 'FETCH < IXSCAN x forward', 10],
    ['a range of another type', { b: 1 }, { b: { $gte: 'x' } }, {}, 0, 'FETCH < IXSCAN x forward', 0],
    [
      'equality, then range',
      { a: 1, b: -1 },
      { a: 3, b: { $lt: 100 } },
      {},
      10,
      'FETCH < IXSCAN x forward',
      10,
    ],
    ['a sort', { b: 1 }, {}, { b: -1 }, 1000, 'FETCH < IXSCAN x backward', 1000],
    ['equality, then sort', { a: 1, b: 1 }, { a: 3 }, { b: -1 }, 100, 'FETCH < IXSCAN x backward', 100],
    ['null, then sort', { c: 1, b: 1 }, { c: null }, { b: 1 }, 1000, 'FETCH < IXSCAN x forward', 1000],
    [
      'null descending, then sort',
      { c: -1, b: 1 },
      { c: null },
      { b: 1 },
      1000,
      'FETCH < IXSCAN x forward',
      1000,
    ],
    [
      'mixed directions',
      { a: 1, b: -1 },
      { a: { $lt: 2 } },
      { a: -1, b: 1 },
      200,
      'FETCH < IXSCAN x backward',
      200,
    ],
    [
      'a sort it cannot serve',
      { a: 1, b: 1 },
      { a: 3 },
      { s: 1 },
      100,
      'SORT < FETCH < IXSCAN x forward',
      100,
    ],
    ['a prefix of a pattern', { s: 1 }, { s: /^k99/ }, {}, 11, 'FETCH < IXSCAN x forward', 11],
    ['an element of an array', { tags: 1 }, { tags: 4 }, {}, 200, 'FETCH < IXSCAN x forward', 200],
    [
      '$expr with a constant',
      { b: 1 },
      { $expr: { $lt: ['$b', { $add: [4, 1] }] } },
      {},
      5,
      'FETCH < IXSCAN x forward',
      5,
    ],
  ])('%s', async (_, key, filter, sort, nReturned, plan, keys) => {
    const collection = await thousand();
    await collection.createIndex(key as Record<string, 1 | -1>, { name: 'x' });
    expect(await explained(collection, filter, { sort })).toEqual({ plan, nReturned, keys, docs: keys });
  });

  test('for each branch of an $or, each document once', async () => {
    const collection = await thousand();
    await collection.createIndex({ b: 1 });
    const filter = { $or: [{ _id: { $lt: 5 } }, { b: { $gte: 3, $lt: 8 } }], a: { $gt: 0 } };
    const { nReturned, docs } = await explained(collection, filter);
    expect({ nReturned, docs }).toEqual({ nReturned: 7, docs: 8 });
    const found = await collection.find(filter).sort({ b: -1 }).toArray();
    expect(found.map(({ b }) => b)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  test('not at all if one branch of an $or needs all documents', async () => {
    const collection = await thousand();
    const { docs } = await explained(collection, { $or: [{ _id: 1 }, { a: 3 }] });
    expect(docs).toBe(1000);
  });

  test('once per value of an $in, in the order of the sort, up to the limit', async () => {
    const collection = await thousand();
    await collection.createIndex({ a: 1, b: 1 }, { name: 'x' });
    const filter = { a: { $in: [9, 2, 5] } };
    const { plan, keys } = await explained(collection, filter, { sort: { b: 1 }, limit: 4 });
    expect({ plan, fewKeys: keys <= 8 }).toEqual({
      plan: 'LIMIT < FETCH < SORT_MERGE < IXSCAN x forward',
      fewKeys: true,
    });
    const found = await collection.find(filter).sort({ b: 1 }).limit(4).toArray();
    expect(found.map(({ b }) => b)).toEqual([2, 5, 9, 12]);
  });

  test('seeking over what lies between the bounds of a later field', async () => {
    const collection = await thousand();
    await collection.createIndex({ a: 1, b: 1 }, { name: 'x' });
    const { nReturned, keys, docs } = await explained(collection, { b: { $lt: 10 }, a: { $gte: 0 } });
    expect({ nReturned, docs, fewKeys: keys <= 21 }).toEqual({ nReturned: 10, docs: 10, fewKeys: true });
  });

  test('for updates and deletes too', async () => {
    const collection = await thousand();
    await collection.createIndex({ b: 1 }, { name: 'x' });
    for (const command of [
      {
        update: collection.collectionName,
        updates: [{ q: { b: { $lt: 3 } }, u: { $set: { c: 1 } }, multi: true }],
      },
      { delete: collection.collectionName, deletes: [{ q: { b: { $lt: 3 } }, limit: 0 }] },
    ]) {
      const { executionStats } = await server.db.command({ explain: command, verbosity: 'executionStats' });
      expect(executionStats).toMatchObject({ totalKeysExamined: 3, totalDocsExamined: 3 });
    }
    expect(await collection.countDocuments({ c: { $exists: true } })).toBe(0);
  });
});

describe('min and max', () => {
  async function ranged() {
    const collection = await thousand();
    await collection.createIndex({ a: 1, b: -1 }, { name: 'x' });
    return collection;
  }

  test('limit a scan to the keys from the one up to, and without, the other, in either direction', async () => {
    const collection = await ranged();
    const find = () => collection.find({}).hint('x').min({ a: 3, b: 33 }).max({ a: 4, b: 984 });
    const upward = await find().sort({ a: 1, b: -1 }).toArray();
    expect(upward.map(({ b }) => b)).toEqual([33, 23, 13, 3, 994]);
    const downward = await find().sort({ a: -1, b: 1 }).limit(2).toArray();
    expect(downward.map(({ b }) => b)).toEqual([994, 3]);
    const { executionStats } = await find().sort({ a: -1, b: 1 }).limit(2).explain('executionStats');
    expect(executionStats).toMatchObject({ totalKeysExamined: 2, totalDocsExamined: 2 });
  });

  test('one of them alone leaves the other end open', async () => {
    const collection = await ranged();
    const from = await collection.find({}).hint('x').min({ a: 9, b: new MaxKey() }).toArray();
    expect(from).toHaveLength(100);
    const to = await collection
      .find({ b: { $gt: 500 } })
      .hint({ a: 1, b: -1 })
      .max({ a: 0, b: 490 })
      .toArray();
    expect(to).toHaveLength(49);
  });

  test.each([
    [51173, {}],
    [51174, { hint: 'x', min: { a: 1 } }],
    [51174, { hint: 'x', min: { b: 1, a: 1 } }],
    [51175, { hint: 'x', min: { a: 3, b: 1 }, max: { a: 3, b: 1 } }],
    [51175, { hint: 'x', min: { a: 3, b: 1 }, max: { a: 3, b: 2 } }],
    [323, { hint: 'x', apiVersion: '1', apiStrict: true }],
  ])('are refused with MongoDB’s error %i as %j', async (code, options) => {
    const { collectionName } = await ranged();
    const command = { find: collectionName, min: { a: 0, b: 0 }, ...options };
    expect(await refusal(server.db.command(command))).toMatchObject({ code });
  });
});

describe('the claim of jobs', () => {
  const due = { status: 'queued', queue: 'default', $expr: { $lte: ['$runAt', '$$NOW'] } };
  const order = { priority: -1, runAt: 1, _id: 1 };

  async function backlog(count: number): Promise<Collection<Numbered>> {
    const collection = server.db.collection<Numbered>(freshName());
    await collection.createIndex(
      { queue: 1, priority: -1, runAt: 1, _id: 1 },
      { name: 'claim', partialFilterExpression: { status: 'queued' } },
    );
    const job = (i: number) => {
      const delayed = i % 4 !== 0;
      const runAt = new Date(server.now + (delayed ? 3_600_000 : -1000) + i);
      return {
        _id: i,
        status: i % 7 === 0 ? 'completed' : 'queued',
        queue: 'default',
        priority: i % 10,
        runAt,
      };
    };
    await collection.insertMany(Array.from({ length: count }, (_, i) => job(i)));
    return collection;
  }

  test.each([1_000, 20_000])('examines one key more per priority, however many of %i wait', async (count) => {
    const collection = await backlog(count);
    const { plan, keys, docs } = await explained(collection, due, { sort: order, limit: 10 });
    expect(plan).toBe('LIMIT < FETCH < IXSCAN claim forward');
    expect(docs).toBe(10);
    expect(keys).toBeLessThanOrEqual(20);
  });

  test('finds the due jobs of the highest priority first', async () => {
    const collection = await backlog(1_000);
    const claimed = await collection
      .find(due)
      .sort(order as Document)
      .limit(500)
      .toArray();
    const all = await collection.find({ status: 'queued', runAt: { $lte: new Date(server.now) } }).toArray();
    const sorted = all.sort((a, b) => b.priority - a.priority || a.runAt - b.runAt || a._id - b._id);
    expect(claimed.map(({ _id }) => _id)).toEqual(sorted.map(({ _id }) => _id));
  });

  test('follows the server’s clock', async () => {
    const collection = await backlog(100);
    const before = await collection.countDocuments(due);
    server.now += 7_200_000;
    expect(await collection.countDocuments(due)).toBeGreaterThan(before);
  });
});

describe('a partial index', () => {
  test('is used only by a query that implies its filter', async () => {
    const collection = await thousand();
    await collection.createIndex({ b: 1 }, { name: 'x', partialFilterExpression: { a: { $gt: 5 } } });
    expect((await explained(collection, { b: 7, a: { $gte: 7 } })).plan).toBe('FETCH < IXSCAN x forward');
    expect((await explained(collection, { b: 7, a: { $gte: 5 } })).plan).toBe('COLLSCAN');
    expect((await explained(collection, { b: 7 })).plan).toBe('COLLSCAN');
  });

  test('is refused as a hint to another query', async () => {
    const collection = await thousand();
    await collection.createIndex({ b: 1 }, { name: 'x', partialFilterExpression: { a: 1 } });
    expect(await refusal(collection.find({ b: 7 }, { hint: 'x' }).toArray())).toMatchObject({ code: 291 });
  });

  test('holds a document only while it matches', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    await collection.createIndex({ k: 1 }, { unique: true, partialFilterExpression: { open: true } });
    await collection.insertMany([
      { _id: 1, k: 1, open: true },
      { _id: 2, k: 1, open: false },
    ]);
    expect(await refusal(collection.updateOne({ _id: 2 }, { $set: { open: true } }))).toMatchObject({
      code: 11000,
    });
    await collection.updateOne({ _id: 1 }, { $set: { open: false } });
    await collection.updateOne({ _id: 2 }, { $set: { open: true } });
  });
});

describe('a sparse index', () => {
  test('leaves out documents without its field, and is not used to find them', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    await collection.createIndex({ k: 1 }, { name: 'x', sparse: true, unique: true });
    await collection.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3, k: null }]);
    expect(await collection.countDocuments({ k: null })).toBe(3);
    expect(await collection.find().sort({ k: 1 }).toArray()).toHaveLength(3);
    expect(await collection.find({}, { hint: 'x' }).toArray()).toEqual([{ _id: 3, k: null }]);
  });
});

describe('a unique index', () => {
  test('refuses a second document with MongoDB’s error', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    await collection.createIndex({ a: 1, 'b.c': -1 }, { unique: true });
    await collection.insertOne({ _id: 1, a: 1, b: { c: 'x' } });
    expect(await refusal(collection.insertOne({ _id: 2, a: 1, b: { c: 'x' } }))).toMatchObject({
      code: 11000,
      keyPattern: { a: 1, 'b.c': -1 },
      keyValue: { a: 1, 'b.c': 'x' },
      message: `E11000 duplicate key error collection: ${collection.namespace} index: a_1_b.c_-1 dup key: { a: 1, b.c: "x" }`,
    });
  });

  test('takes equal numbers of different types for the same', async () => {
    const collection = server.db.collection<Document>(freshName());
    await collection.insertOne({ _id: 1 } as Document);
    const { Long } = await import('mongodb');
    expect(await refusal(collection.insertOne({ _id: Long.fromNumber(1) } as Document))).toMatchObject({
      code: 11000,
    });
  });

  test('cannot be made over duplicates', async () => {
    const collection = await thousand();
    expect(await refusal(collection.createIndex({ a: 1 }, { unique: true }))).toMatchObject({ code: 11000 });
    expect(await collection.indexes()).toHaveLength(1);
  });
});

describe('index management', () => {
  test.each<[string, Document, number]>([
    ['a zero direction', { key: { a: 0 }, name: 'x' }, 67],
    ['no name', { key: { a: 1 } }, 9],
    ['no key', { name: 'x' }, 9],
    ['an empty key', { key: {}, name: 'x' }, 67],
    ['an unknown option', { key: { a: 1 }, name: 'x', foo: 1 }, 197],
    ['sparse and partial', { key: { a: 1 }, name: 'x', sparse: true, partialFilterExpression: { a: 1 } }, 67],
    ['a TTL on two fields', { key: { a: 1, b: 1 }, name: 'x', expireAfterSeconds: 1 }, 67],
    ['a collation', { key: { a: 1 }, name: 'x', collation: { locale: 'en' } }, 238],
    ['a text index', { key: { a: 'text' }, name: 'x' }, 238],
    ['another index of the same name', { key: { b: 1 }, name: 'taken' }, 86],
    ['other options under the same name', { key: { taken: 1 }, name: 'taken', unique: true }, 85],
    ['the same key under another name', { key: { taken: 1 }, name: 'y' }, 85],
  ])('%s is refused', async (_, spec, code) => {
    const name = freshName();
    await server.db.collection(name).createIndex({ taken: 1 }, { name: 'taken' });
    expect(await refusal(server.db.command({ createIndexes: name, indexes: [spec] }))).toMatchObject({
      code,
    });
  });

  test('making an index that exists changes nothing', async () => {
    const name = freshName();
    const command = { createIndexes: name, indexes: [{ key: { a: 1 }, name: 'x' }] };
    expect(await server.db.command(command)).toMatchObject({ numIndexesBefore: 1, numIndexesAfter: 2 });
    expect(await server.db.command(command)).toMatchObject({
      numIndexesAfter: 2,
      note: 'all indexes already exist',
    });
  });

  test('two arrays in one index are refused', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    await collection.createIndex({ a: 1, b: 1 });
    expect(await refusal(collection.insertOne({ _id: 1, a: [1], b: [2] }))).toMatchObject({ code: 171 });
    expect(await collection.countDocuments()).toBe(0);
  });

  test('an unknown index cannot be hinted or dropped, nor can the one on _id be dropped', async () => {
    const collection = await thousand();
    expect(await refusal(collection.find({}, { hint: 'no' }).toArray())).toMatchObject({ code: 2 });
    expect(await refusal(collection.dropIndex('no'))).toMatchObject({ code: 27 });
    expect(await refusal(collection.dropIndex('_id_'))).toMatchObject({ code: 72 });
  });
});

test('collMod hides an index and changes its expiry', async () => {
  const collection = await thousand();
  await collection.createIndex({ b: 1 }, { name: 'x', expireAfterSeconds: 60 });
  const change = (options: Document) =>
    server.db.command({ collMod: collection.collectionName, index: { name: 'x', ...options } });
  expect(await change({ expireAfterSeconds: 90 })).toMatchObject({
    expireAfterSeconds_old: 60,
    expireAfterSeconds_new: 90,
  });
  await change({ hidden: true });
  expect((await explained(collection, { b: 7 })).plan).toBe('COLLSCAN');
  expect((await collection.indexes())[1]).toMatchObject({ expireAfterSeconds: 90, hidden: true });
});

test('a TTL index removes what has expired by the server’s clock', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
  const at = (seconds: number) => new Date(server.now + seconds * 1000);
  await collection.insertMany([
    { _id: 1, at: at(-61) },
    { _id: 2, at: at(-59) },
    { _id: 3, at: 'never' },
    { _id: 4, at: [at(0), at(-90)] },
  ]);
  expect(server.mongo.removeExpired()).toBe(2);
  expect((await collection.find().toArray()).map(({ _id }) => _id)).toEqual([2, 3]);
});
