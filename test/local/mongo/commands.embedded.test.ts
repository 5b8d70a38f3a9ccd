import type { Document } from 'mongodb';
import { expect, test } from 'vitest';
import { freshName, type Numbered, refusal, useServer } from './server.js';

const server = useServer();
const docs = [
  { _id: 1, a: 1, tags: ['x', 'y'] },
  { _id: 2, a: 2, tags: ['y'] },
  { _id: 3, a: 3 },
];

/** A command on a collection `c` with the documents above, and what its reply contains or the code it is refused with. */
const table: Record<string, [Document, Document | number]> = {
  ping: [{ ping: 1 }, { ok: 1 }],
  hello: [
    { hello: 1 },
    {
      isWritablePrimary: true,
      setName: 'embedded',
      maxBsonObjectSize: 16_777_216,
      maxWireVersion: 21,
      localTime: new Date('2026-01-31T12:00:00Z'),
    },
  ],
  buildInfo: [{ buildInfo: 1 }, { version: '7.0.0' }],
  find: [
    { find: 'c', filter: { a: { $gt: 1 } }, sort: { a: -1 } },
    { cursor: { id: 0, firstBatch: [docs[2], docs[1]] } },
  ],
  'find: skip and limit': [
    { find: 'c', sort: { _id: 1 }, skip: 1, limit: 1 },
    { cursor: { firstBatch: [docs[1]] } },
  ],
  'find: a projection keeps the order of the document': [
    { find: 'c', filter: { _id: 1 }, projection: { tags: 1, a: 1 } },
    { cursor: { firstBatch: [{ _id: 1, a: 1, tags: ['x', 'y'] }] } },
  ],
  'find: a projection by exclusion': [
    { find: 'c', filter: { _id: 1 }, projection: { tags: 0, _id: 0 } },
    { cursor: { firstBatch: [{ a: 1 }] } },
  ],
  'find: computed fields': [
    {
      find: 'c',
      filter: { _id: 2 },
      projection: { now: '$$NOW', b: { $add: ['$a', '$$n'] } },
      let: { n: 1 },
    },
    { cursor: { firstBatch: [{ _id: 2, now: new Date('2026-01-31T12:00:00Z'), b: 3 }] } },
  ],
  'find: $slice': [
    { find: 'c', filter: { _id: 1 }, projection: { tags: { $slice: -1 } } },
    { cursor: { firstBatch: [{ _id: 1, a: 1, tags: ['y'] }] } },
  ],
  'find: $elemMatch': [
    { find: 'c', filter: { _id: 1 }, projection: { tags: { $elemMatch: { $gt: 'x' } } } },
    { cursor: { firstBatch: [{ _id: 1, tags: ['y'] }] } },
  ],
  'find: the positional $': [
    { find: 'c', filter: { tags: 'y', a: 1 }, projection: { 'tags.$': 1 } },
    { cursor: { firstBatch: [{ _id: 1, tags: ['y'] }] } },
  ],
  'find: inclusion and exclusion do not mix': [{ find: 'c', projection: { a: 1, tags: 0 } }, 31254],
  'find: exclusion and inclusion do not mix': [{ find: 'c', projection: { a: 0, tags: 1 } }, 31253],
  'find: a path and one below it': [{ find: 'c', projection: { a: 1, 'a.b': 1 } }, 31249],
  'find: a path and one above it': [{ find: 'c', projection: { 'a.b': 1, a: 1 } }, 31250],
  'insert: a read concern': [
    { insert: 'c', documents: [{ _id: 9 }], readConcern: { level: 'majority' } },
    72,
  ],
  'aggregate: a sort by nothing': [{ aggregate: 'c', pipeline: [{ $sort: {} }], cursor: {} }, 15976],
  'find: let': [
    { find: 'c', filter: { $expr: { $eq: ['$_id', '$$x'] } }, let: { x: 3 } },
    { cursor: { firstBatch: [docs[2]] } },
  ],
  'find: an unknown variable': [{ find: 'c', filter: { $expr: { $eq: ['$_id', '$$nope'] } } }, 17276],
  'find: an unknown field': [{ find: 'c', foo: 1 }, 40415],
  'find: a wrong type': [{ find: 'c', filter: 1 }, 14],
  'find: a negative limit': [{ find: 'c', limit: -1 }, 51024],
  'find: a bad sort': [{ find: 'c', sort: { a: 2 } }, 15975],
  'find: collation is refused': [{ find: 'c', collation: { locale: 'en' } }, 238],
  'find: tailable is refused': [{ find: 'c', tailable: true }, 238],
  'find on what does not exist': [{ find: 'nothing' }, { cursor: { id: 0, firstBatch: [] } }],
  'aggregate: a stage outside the stable API is refused if that is asked for': [
    { aggregate: 1, pipeline: [{ $listLocalSessions: {} }], cursor: {}, apiVersion: '1', apiStrict: true },
    323,
  ],
  insert: [{ insert: 'c', documents: [{ _id: 9 }] }, { n: 1 }],
  'insert: an error names the statement': [
    { insert: 'c', documents: [{ _id: 8 }, { _id: 1 }, { _id: 7 }] },
    { n: 1, writeErrors: [{ index: 1, code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 1 } }] },
  ],
  'insert: unordered goes on after an error': [
    { insert: 'c', documents: [{ _id: 1 }, { _id: 8 }], ordered: false },
    { n: 1, writeErrors: [{ index: 0, code: 11000 }] },
  ],
  'insert: no documents': [{ insert: 'c', documents: [] }, 72],
  'insert: documents missing': [{ insert: 'c' }, 40414],
  'insert: an array as _id': [
    { insert: 'c', documents: [{ _id: [] }] },
    { n: 0, writeErrors: [{ code: 53 }] },
  ],
  'insert: operators in the _id': [
    { insert: 'c', documents: [{ _id: { $a: 1 } }] },
    { n: 0, writeErrors: [{ code: 52 }] },
  ],
  update: [
    { update: 'c', updates: [{ q: { a: { $gt: 1 } }, u: { $set: { b: 1 } }, multi: true }] },
    { n: 2, nModified: 2 },
  ],
  'update: an upsert': [
    { update: 'c', updates: [{ q: { _id: 9 }, u: { $set: { b: 1 } }, upsert: true }] },
    { n: 1, nModified: 0, upserted: [{ index: 0, _id: 9 }] },
  ],
  'update: a replacement of many': [
    { update: 'c', updates: [{ q: {}, u: { b: 1 }, multi: true }] },
    { n: 0, writeErrors: [{ index: 0, code: 9 }] },
  ],
  'update: an unknown field of a statement': [{ update: 'c', updates: [{ q: {}, u: {}, foo: 1 }] }, 40415],
  'update: a sort needs MongoDB 8': [{ update: 'c', updates: [{ q: {}, u: {}, sort: { a: 1 } }] }, 40415],
  delete: [{ delete: 'c', deletes: [{ q: { a: { $lt: 3 } }, limit: 0 }] }, { n: 2 }],
  'delete: a limit of two': [{ delete: 'c', deletes: [{ q: {}, limit: 2 }] }, 9],
  'findAndModify: before': [
    { findAndModify: 'c', query: { _id: 1 }, update: { $inc: { a: 1 } } },
    { value: docs[0], lastErrorObject: { n: 1, updatedExisting: true } },
  ],
  'findAndModify: after, projected': [
    {
      findAndModify: 'c',
      query: { _id: 1 },
      update: { $inc: { a: 1 } },
      new: true,
      fields: { a: 1, _id: 0 },
    },
    { value: { a: 2 } },
  ],
  'findAndModify: sorted': [
    { findAndModify: 'c', sort: { a: -1 }, remove: true },
    { value: docs[2], lastErrorObject: { n: 1 } },
  ],
  'findAndModify: nothing found': [
    { findAndModify: 'c', query: { _id: 9 }, remove: true },
    { value: null, lastErrorObject: { n: 0 } },
  ],
  'findAndModify: an upsert': [
    { findAndModify: 'c', query: { _id: 9 }, update: { $set: { a: 1 } }, upsert: true, new: true },
    { value: { _id: 9, a: 1 }, lastErrorObject: { n: 1, updatedExisting: false, upserted: 9 } },
  ],
  'findAndModify: neither update nor remove': [{ findAndModify: 'c', query: {} }, 9],
  count: [{ count: 'c', query: { tags: 'y' } }, { n: 2 }],
  'count: skip and limit': [{ count: 'c', skip: 1, limit: 1 }, { n: 1 }],
  distinct: [{ distinct: 'c', key: 'tags' }, { values: ['x', 'y'] }],
  aggregate: [
    {
      aggregate: 'c',
      pipeline: [
        { $match: { a: { $gt: 1 } } },
        { $group: { _id: null, total: { $sum: '$a' }, n: { $sum: 1 } } },
      ],
      cursor: {},
    },
    { cursor: { firstBatch: [{ _id: null, total: 5, n: 2 }] } },
  ],
  'aggregate: stages of every kind': [
    {
      aggregate: 'c',
      pipeline: [
        { $unwind: '$tags' },
        { $sortByCount: '$tags' },
        { $addFields: { half: { $divide: ['$count', 2] } } },
        { $project: { count: 0 } },
        { $limit: 1 },
      ],
      cursor: {},
    },
    { cursor: { firstBatch: [{ _id: 'y', half: 1 }] } },
  ],
  'aggregate: $lookup': [
    {
      aggregate: 'c',
      pipeline: [
        { $match: { _id: 1 } },
        { $lookup: { from: 'c', localField: 'a', foreignField: '_id', as: 'same' } },
        { $project: { same: 1 } },
      ],
      cursor: {},
    },
    { cursor: { firstBatch: [{ _id: 1, same: [docs[0]] }] } },
  ],
  'aggregate: $facet': [
    {
      aggregate: 'c',
      pipeline: [
        {
          $facet: {
            n: [{ $count: 'n' }],
            first: [{ $sort: { a: 1 } }, { $limit: 1 }, { $project: { a: 1 } }],
          },
        },
      ],
      cursor: {},
    },
    { cursor: { firstBatch: [{ n: [{ n: 3 }], first: [{ _id: 1, a: 1 }] }] } },
  ],
  'aggregate: no cursor': [{ aggregate: 'c', pipeline: [] }, 9],
  'aggregate: an unknown stage': [{ aggregate: 'c', pipeline: [{ $foo: 1 }], cursor: {} }, 40324],
  'aggregate: two stages in one': [
    { aggregate: 'c', pipeline: [{ $limit: 1, $skip: 1 }], cursor: {} },
    40323,
  ],
  'aggregate: an unknown expression': [
    { aggregate: 'c', pipeline: [{ $project: { a: { $foo: 1 } } }], cursor: {} },
    168,
  ],
  'aggregate: a change stream': [{ aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {} }, 40573],
  listCollections: [
    { listCollections: 1, filter: { name: 'c' }, nameOnly: true },
    { cursor: { firstBatch: [{ name: 'c', type: 'collection' }] } },
  ],
  listIndexes: [{ listIndexes: 'c' }, { cursor: { firstBatch: [{ v: 2, key: { _id: 1 }, name: '_id_' }] } }],
  'listIndexes on what does not exist': [{ listIndexes: 'nothing' }, 26],
  'create: what exists': [{ create: 'c' }, { ok: 1 }],
  'create: capped is refused': [{ create: 'd', capped: true, size: 100 }, 238],
  'create: a bad name': [{ create: 'a$b' }, 73],
  drop: [{ drop: 'c' }, { nIndexesWas: 1 }],
  'drop: what does not exist': [{ drop: 'nothing' }, { ok: 1 }],
  'an unknown command': [{ foo: 1 }, 59],
  'a bulkWrite needs MongoDB 8': [{ bulkWrite: 1 }, 59],
  'an unknown read concern': [{ find: 'c', readConcern: { level: 'foo' } }, 9],
};

test.each(Object.entries(table))('%s', async (_, [command, expected]) => {
  const db = server.client.db(freshName());
  await db.collection<Document>('c').insertMany(docs.map((doc) => ({ ...doc })) as Document[]);
  if (typeof expected === 'number')
    expect(await refusal(db.command(command))).toMatchObject({ code: expected });
  else expect(await db.command(command)).toMatchObject(expected);
});

test('an error reply has code, name and message', async () => {
  const { code, codeName, message } = await refusal(server.db.command({ foo: 1 }));
  expect({ code, codeName, message }).toEqual({
    code: 59,
    codeName: 'CommandNotFound',
    message: "no such command: 'foo'",
  });
});

test('a cursor gives batches of the size asked for, and can be killed', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertMany(Array.from({ length: 250 }, (_, i) => ({ _id: i })));
  const { cursor } = await server.db.command({
    find: collection.collectionName,
    batchSize: 100,
    sort: { _id: 1 },
  });
  const more = { getMore: cursor.id, collection: collection.collectionName };
  const { cursor: second } = await server.db.command({ ...more, batchSize: 100 });
  const { cursor: last } = await server.db.command(more);
  expect([cursor, second, last].map((one) => (one.firstBatch ?? one.nextBatch).length)).toEqual([
    100, 100, 50,
  ]);
  expect(Number(last.id)).toBe(0);
  expect(await refusal(server.db.command(more))).toMatchObject({ code: 43, codeName: 'CursorNotFound' });
});

test('a cursor goes on correctly while documents before and behind it change', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.createIndex({ n: 1 });
  await collection.insertMany(Array.from({ length: 100 }, (_, i) => ({ _id: i, n: i })));
  const cursor = collection.find({ n: { $gte: 0 } }, { batchSize: 10 }).sort({ n: 1 });
  const seen = [await cursor.next()];
  await collection.deleteMany({ n: { $gte: 50, $lt: 60 } });
  await collection.insertOne({ _id: 1000, n: -5 });
  for await (const doc of cursor) seen.push(doc);
  expect(seen.map((doc) => doc?.n)).toEqual(
    Array.from({ length: 100 }, (_, i) => i).filter((n) => n < 50 || n >= 60),
  );
});

test('a write concern that one member cannot have is reported after the write', async () => {
  const name = freshName();
  const reply = await server.db
    .command({ insert: name, documents: [{ _id: 1 }], writeConcern: { w: 2 } })
    .catch((error) => error.result);
  expect(reply).toMatchObject({
    n: 1,
    writeConcernError: { code: 100, codeName: 'UnsatisfiableWriteConcern' },
  });
  expect(await server.db.collection(name).countDocuments()).toBe(1);
});

test('a view shows its pipeline’s result and takes no writes', async () => {
  const source = server.db.collection<Numbered>(freshName());
  await source.insertMany([
    { _id: 1, a: 1 },
    { _id: 2, a: 2 },
  ]);
  const view = await server.db.createCollection<Numbered>(freshName(), {
    viewOn: source.collectionName,
    pipeline: [{ $match: { a: 2 } }],
  });
  expect(await view.find().toArray()).toEqual([{ _id: 2, a: 2 }]);
  expect(await view.estimatedDocumentCount()).toBe(1);
  expect(await refusal(view.insertOne({ _id: 3 }))).toMatchObject({ code: 166 });
});

test('a document over 16 MB is refused', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertOne({ _id: 1, text: 'x'.repeat(9 << 20) });
  const doubled = [{ $set: { text: { $concat: ['$text', '$text'] } } }];
  expect(await refusal(collection.updateOne({ _id: 1 }, doubled))).toMatchObject({ code: 10334 });
});

test('only an insert makes a collection', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  const exists = () => server.db.listCollections({ name: collection.collectionName }).hasNext();
  await collection.find().toArray();
  await collection.updateMany({}, { $set: { a: 1 } });
  await collection.deleteMany({});
  expect(await exists()).toBe(false);
  await collection.updateOne({ _id: 1 }, { $set: { a: 1 } }, { upsert: true });
  expect(await exists()).toBe(true);
});

test('a collection can be renamed', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertOne({ _id: 1 });
  const renamed = await collection.rename(freshName());
  expect(await renamed.countDocuments()).toBe(1);
  expect(await server.db.listCollections({ name: renamed.collectionName }).hasNext()).toBe(true);
  expect(await collection.countDocuments()).toBe(0);
});
