import type { Collection, Document, Sort } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { freshName, type Numbered, refusal, useServer } from './server.js';

const server = useServer();

/** What a query would cost, and by which stages, from the outermost in. */
interface Explained {
  readonly stages: string;
  readonly bounds: Document | undefined;
  readonly keys: number;
  readonly docs: number;
  readonly rejected: number;
}

async function explain(command: Document): Promise<Explained> {
  const reply = await server.db.command({ explain: command, verbosity: 'executionStats' });
  const { queryPlanner, executionStats } = reply.stages?.[0]?.$cursor ?? reply;
  const { totalKeysExamined: keys, totalDocsExamined: docs } = executionStats;
  return {
    stages: stagesOf(queryPlanner.winningPlan).map(nameOf).join(' < '),
    bounds: stagesOf(queryPlanner.winningPlan).at(-1)?.indexBounds,
    keys,
    docs,
    rejected: queryPlanner.rejectedPlans.length,
  };
}

function stagesOf(stage: Document): Document[] {
  const inner = stage.inputStage ?? stage.inputStages?.[0];
  return inner ? [stage, ...stagesOf(inner)] : [stage];
}

function nameOf({ stage, indexName }: Document): string {
  return indexName ? `${stage} ${indexName}` : stage;
}

function explainFind(collection: Collection<Numbered>, filter: Document, options: Document = {}) {
  return explain({ find: collection.collectionName, filter, ...options });
}

/** 1000 documents: `a` has 10 values, `b` 100, `c` is their number, `half` every other one. */
async function thousand(...indexes: [string, Record<string, 1 | -1>, Document?][]) {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertMany(
    Array.from({ length: 1000 }, (_, i) => ({ _id: i, a: i % 10, b: i % 100, c: i, half: i % 2 === 0 })),
  );
  for (const [name, key, options] of indexes) await collection.createIndex(key, { name, ...options });
  return collection;
}

describe('an index counts for a filter', () => {
  test('only when its first key has a predicate: those on later keys do not count', async () => {
    const collection = await thousand(['ab', { a: 1, b: 1 }]);
    expect(await explainFind(collection, { b: 3 })).toMatchObject({
      stages: 'COLLSCAN',
      keys: 0,
      docs: 1000,
    });
    expect(await explainFind(collection, { b: 3, a: 3 })).toMatchObject({
      stages: 'FETCH < IXSCAN ab',
      docs: 10,
    });
  });

  test('with any predicate on its first key, one that bounds nothing too: then the later keys are bound', async () => {
    const collection = await thousand(['ab', { a: 1, b: 1 }]);
    expect(await explainFind(collection, { b: 3, a: { $exists: true } })).toMatchObject({
      stages: 'FETCH < IXSCAN ab',
      bounds: { a: ['[MinKey, MaxKey]'], b: ['[3, 3]'] },
      docs: 10,
    });
    expect(await explainFind(collection, { b: 3, a: { $gte: 0 } })).toMatchObject({ docs: 10 });
  });

  test('not with a predicate that no index serves', async () => {
    const collection = await thousand(['ab', { a: 1, b: 1 }]);
    expect(await explainFind(collection, { b: 3, a: { $size: 1 } })).toMatchObject({ stages: 'COLLSCAN' });
  });

  test('if it is sparse, only with a predicate on its first key that nothing missing meets', async () => {
    const collection = await thousand(['ab', { a: 1, b: 1 }, { sparse: true }]);
    expect(await explainFind(collection, { a: null, b: 3 })).toMatchObject({ stages: 'COLLSCAN' });
    expect(await explainFind(collection, { a: { $gt: 8 }, b: null })).toMatchObject({
      stages: 'FETCH < IXSCAN ab',
    });
  });

  test('in an $or by what each branch says; what stands beside it narrows the scans', async () => {
    const collection = await thousand(['ab', { a: 1, b: 1 }], ['c', { c: 1 }]);
    const branches = [{ a: 3 }, { c: { $lt: 5 } }];
    expect(await explainFind(collection, { $or: branches })).toMatchObject({
      stages: 'FETCH < OR < IXSCAN ab',
      docs: 104,
    });
    expect(await explainFind(collection, { $or: branches, b: 3 })).toMatchObject({ docs: 14 });
    expect(await explainFind(collection, { $or: [{ half: true }, { c: 5 }], a: 3 })).toMatchObject({
      stages: 'FETCH < IXSCAN ab',
      docs: 100,
    });
  });
});

describe('an index that only gives the order', () => {
  test('is scanned whole: each document is fetched, whatever the filter says of later keys', async () => {
    const collection = await thousand(['ab', { a: 1, b: 1 }]);
    expect(await explainFind(collection, { b: 3 }, { sort: { a: 1 } })).toMatchObject({
      stages: 'FETCH < IXSCAN ab',
      bounds: { a: ['[MinKey, MaxKey]'], b: ['[MinKey, MaxKey]'] },
      keys: 1000,
      docs: 1000,
    });
    expect(await explainFind(collection, { b: 3 }, { sort: { a: -1 }, limit: 1, skip: 4 })).toMatchObject({
      bounds: { a: ['[MaxKey, MinKey]'], b: ['[MaxKey, MinKey]'] },
      docs: 695,
    });
  });

  test('is no plan where one that a predicate leads to gives the order as well', async () => {
    const collection = await thousand(['ba', { b: 1, a: 1 }], ['a', { a: 1 }]);
    expect(await explainFind(collection, { b: 3 }, { sort: { a: 1 } })).toMatchObject({
      stages: 'FETCH < IXSCAN ba',
      docs: 10,
      rejected: 0,
    });
  });

  test('competes with those that need a sort: what finds enough first, or all, is taken', async () => {
    const collection = await thousand(['a', { a: 1 }], ['c', { c: 1 }]);
    expect(await explainFind(collection, { a: 3 }, { sort: { c: 1 }, limit: 2 })).toMatchObject({
      stages: 'LIMIT < FETCH < IXSCAN c',
      docs: 14,
      rejected: 1,
    });
    expect(await explainFind(collection, { a: 3, c: { $exists: true } }, { sort: { b: 1 } })).toMatchObject({
      stages: 'SORT < FETCH < IXSCAN a',
      docs: 100,
    });
  });

  test('must have the sort as its beginning, a sparse one has not all documents, a partial one those of its filter', async () => {
    const collection = await thousand(
      ['ab', { a: 1, b: 1 }],
      ['c', { c: 1 }, { sparse: true }],
      ['half', { b: 1, c: 1 }, { partialFilterExpression: { half: true } }],
    );
    expect(await explainFind(collection, { c: 1 }, { sort: { b: 1 } })).toMatchObject({
      stages: 'SORT < FETCH < IXSCAN c',
    });
    expect(await explainFind(collection, {}, { sort: { c: 1 } })).toMatchObject({
      stages: 'SORT < COLLSCAN',
    });
    expect(await explainFind(collection, { half: true }, { sort: { b: -1, c: -1 } })).toMatchObject({
      stages: 'FETCH < IXSCAN half',
      docs: 500,
    });
    expect(await explainFind(collection, {}, { sort: { b: 1 } })).toMatchObject({
      stages: 'SORT < COLLSCAN',
    });
  });

  test('a document that its filter or an $expr rejects is fetched all the same, and so is one that is skipped', async () => {
    const collection = await thousand(['c', { c: 1 }, { partialFilterExpression: { half: true } }]);
    const filter = { half: true, $expr: { $gte: ['$b', 90] } };
    expect(await explainFind(collection, filter, { sort: { c: 1 }, skip: 5, limit: 5 })).toMatchObject({
      docs: 100,
    });
    const count = {
      count: collection.collectionName,
      query: { c: { $gte: 0 }, half: true },
      limit: 7,
      skip: 3,
    };
    expect(await explain(count)).toMatchObject({ stages: 'COUNT < FETCH < IXSCAN c', docs: 10 });
  });
});

describe('a partial index counts for a filter', () => {
  test('each branch of whose $or meets that of the index', async () => {
    const collection = await thousand(['c', { c: 1 }, { partialFilterExpression: { half: true } }]);
    const of = (...filters: Document[]) => explainFind(collection, { $or: filters }, { hint: { c: 1 } });
    expect(await of({ c: 2, half: true }, { c: { $in: [4, 5] }, half: true })).toMatchObject({ docs: 2 });
    expect(await refusal(of({ c: 2, half: true }, { c: 4 }))).toMatchObject({ code: 291 });
  });

  test('with one of several values that the index is limited to, or all of them, but not with some', async () => {
    const collection = await thousand([
      'b',
      { b: 1 },
      { partialFilterExpression: { a: { $in: [1, 2, 3] } } },
    ]);
    const stagesWith = async (a: unknown) => (await explainFind(collection, { a, b: { $gte: 0 } })).stages;
    expect(await stagesWith(2)).toBe('FETCH < IXSCAN b');
    expect(await stagesWith({ $in: [3, 1, 2] })).toBe('FETCH < IXSCAN b');
    expect(await stagesWith({ $in: [3, 1] })).toBe('COLLSCAN');
  });
});

describe('values of leading keys are scanned one by one for a sort', () => {
  const order = { c: 1 } as const;

  test('which are merged: each costs the key at its head', async () => {
    const collection = await thousand(['ac', { a: 1, c: 1 }]);
    expect(await explainFind(collection, { a: { $in: [1, 5, 7] } }, { sort: order, limit: 2 })).toMatchObject(
      {
        stages: 'LIMIT < FETCH < SORT_MERGE < IXSCAN ac',
        keys: 4,
        docs: 2,
      },
    );
  });

  test('all of them: one that the sort names is taken apart, too, and then its order is lost', async () => {
    const collection = await thousand(['abc', { a: 1, b: 1, c: 1 }]);
    const a = { $in: [1, 5] };
    const sort = { b: 1, c: 1 };
    expect(await explainFind(collection, { a, b: { $in: [5, 1] } }, { sort })).toMatchObject({
      stages: 'SORT < FETCH < IXSCAN abc',
    });
    expect(await explainFind(collection, { a, b: { $gte: 0, $lte: 5 } }, { sort })).toMatchObject({
      stages: 'FETCH < SORT_MERGE < IXSCAN abc',
    });
    expect(await explainFind(collection, { a, b: { $in: [5, 1] } }, { sort: order })).toMatchObject({
      stages: 'FETCH < SORT_MERGE < IXSCAN abc',
    });
  });

  test('up to 200 scans in all, of all keys together', async () => {
    const collection = await thousand(['abc', { a: 1, b: 1, c: 1 }], ['bc', { b: 1, c: 1 }]);
    const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
    const byB = (count: number) =>
      explainFind(collection, { b: { $in: upTo(count) } }, { sort: order, hint: 'bc' });
    expect(await byB(200)).toMatchObject({ stages: 'FETCH < SORT_MERGE < IXSCAN bc' });
    expect(await byB(201)).toMatchObject({ stages: 'SORT < FETCH < IXSCAN bc' });
    const both = { a: { $in: upTo(10) }, b: { $in: upTo(21) } };
    expect(await explainFind(collection, both, { sort: order, hint: 'abc' })).toMatchObject({
      stages: 'SORT < FETCH < IXSCAN abc',
    });
  });

  test('not where one scan gives the order: several values of the first key of the sort, one value before it', async () => {
    const collection = await thousand(['ac', { a: 1, c: 1 }]);
    expect(await explainFind(collection, { a: { $in: [1, 5] } }, { sort: { a: 1, c: 1 } })).toMatchObject({
      stages: 'FETCH < IXSCAN ac',
    });
    expect(await explainFind(collection, { a: { $in: [5] } }, { sort: order })).toMatchObject({
      stages: 'FETCH < IXSCAN ac',
    });
  });
});

describe('an _id', () => {
  test('alone is looked up without a plan', async () => {
    const collection = await thousand();
    expect(await explainFind(collection, { _id: 5 })).toMatchObject({ stages: 'IDHACK', keys: 1, docs: 1 });
    expect(await explainFind(collection, { _id: 5 }, { hint: '_id_' })).toMatchObject({
      stages: 'FETCH < IXSCAN _id_',
    });
    expect(await explainFind(collection, { _id: 5 }, { skip: 1 })).toMatchObject({
      stages: 'SKIP < FETCH < IXSCAN _id_',
    });
  });

  test('beside other predicates is found by its unique index, unless fewer fields are asked for: then others compete', async () => {
    const collection = await thousand(['a', { a: 1 }]);
    expect(await explainFind(collection, { _id: 5, a: 5 })).toMatchObject({
      stages: 'FETCH < IXSCAN _id_',
      rejected: 0,
    });
    expect(await explainFind(collection, { _id: 5, a: 5 }, { projection: { a: 1 } })).toMatchObject({
      stages: 'FETCH < IXSCAN _id_',
      rejected: 1,
    });
  });

  test('of several competes with what other predicates lead to: the one that has looked at all first is taken', async () => {
    const collection = await thousand(['c', { c: 1 }]);
    const _id = { $in: Array.from({ length: 50 }, (_, i) => i * 2) };
    expect(await explainFind(collection, { _id, c: { $lt: 500 } })).toMatchObject({
      stages: 'FETCH < IXSCAN _id_',
    });
    expect(await explainFind(collection, { _id, c: { $lt: 5 } })).toMatchObject({
      stages: 'FETCH < IXSCAN c',
      docs: 5,
    });
  });
});

describe('a hint is obeyed', () => {
  const statements = (name: string, hint: unknown): Document[] => [
    { find: name, filter: { a: 3 }, hint },
    { count: name, query: { a: 3 }, hint },
    { aggregate: name, pipeline: [{ $match: { a: 3 } }, { $set: { x: 1 } }], cursor: {}, hint },
    { findAndModify: name, query: { a: 3, b: -1 }, remove: true, hint },
    { update: name, updates: [{ q: { a: 3 }, u: { $set: { x: 1 } }, multi: true, hint }] },
    { delete: name, deletes: [{ q: { a: 3 }, limit: 0, hint }] },
  ];

  test('by each statement that takes one: an index that does not fit is scanned whole', async () => {
    const { collectionName } = await thousand(['a', { a: 1 }], ['c', { c: 1 }]);
    for (const hint of ['c', { c: 1 }]) {
      for (const statement of statements(collectionName, hint)) {
        expect(await explain(statement), JSON.stringify(statement)).toMatchObject({
          bounds: { c: ['[MinKey, MaxKey]'] },
          keys: 1000,
          docs: 1000,
        });
      }
    }
  });

  test('and refused where there is no such index, by each statement of a batch for itself', async () => {
    const collection = await thousand(['a', { a: 1 }]);
    for (const statement of statements(collection.collectionName, 'none')) {
      if (statement.update || statement.delete) continue;
      expect(await refusal(server.db.command(statement)), JSON.stringify(statement)).toMatchObject({
        code: 2,
      });
    }
    const batch = collection.bulkWrite(
      [
        { updateOne: { filter: { a: 3 }, update: { $set: { x: 1 } }, hint: 'none' } },
        { deleteMany: { filter: { a: 4 }, hint: 'a' } },
        { deleteOne: { filter: { a: 3 }, hint: 'none' } },
      ],
      { ordered: false },
    );
    expect(await refusal(batch)).toMatchObject({
      writeErrors: [{ err: { index: 0, code: 2 } }, { err: { index: 2, code: 2 } }],
    });
    expect(await collection.countDocuments()).toBe(900);
  });

  test('but not taken by distinct, before MongoDB 7.1', async () => {
    const { collectionName: distinct } = await thousand(['a', { a: 1 }]);
    expect(await refusal(server.db.command({ distinct, key: 'a', hint: 'a' }))).toMatchObject({
      code: 40415,
    });
  });

  test('in the order of a sort that the index does not give, by a sort', async () => {
    const collection = await thousand(['a', { a: 1 }], ['c', { c: 1 }]);
    const hinted = await explainFind(collection, { a: 3 }, { sort: { c: 1 } as Sort, hint: 'a', limit: 5 });
    expect(hinted).toMatchObject({ stages: 'SORT < FETCH < IXSCAN a', docs: 100 });
  });
});

describe('a count', () => {
  test('reads keys of one stretch and no document, and the key that ends it', async () => {
    const { collectionName: count } = await thousand(['ab', { a: 1, b: 1 }]);
    expect(await explain({ count, query: { a: 3, b: { $gt: 50 } } })).toMatchObject({
      stages: 'COUNT < COUNT_SCAN ab',
      keys: 51,
      docs: 0,
    });
    const pipeline = [{ $match: { a: 3 } }, { $limit: 5 }, { $group: { _id: 1, n: { $sum: 1 } } }];
    expect(await explain({ aggregate: count, pipeline, cursor: {} })).toMatchObject({
      stages: 'LIMIT < COUNT_SCAN ab',
      keys: 5,
      docs: 0,
    });
  });

  test.each<[string, Document]>([
    ['several stretches', { a: { $in: [3, 4] } }],
    ['a stretch behind a range', { a: { $gte: 3, $lte: 4 }, b: 3 }],
    ['a field that the index has not', { a: 3, half: { $in: [true, false] } }],
    ['null, which may be missing', { a: null }],
    ['an $expr', { $expr: { $eq: ['$a', 3] } }],
    ['a pattern', { a: /^x/ }],
  ])('looks at the documents of %s', async (_, query) => {
    const { collectionName: count } = await thousand(['ab', { a: 1, b: 1 }]);
    const { stages, docs } = await explain({ count, query });
    expect(stages).toBe('COUNT < FETCH < IXSCAN ab');
    expect(docs).toBe(await server.db.collection(count).countDocuments(query));
  });
});

test('a $unionWith finds by an index what its pipeline begins with, in its order', async () => {
  const [one, other] = [await thousand(), await thousand(['ac', { a: 1, c: 1 }])];
  const pipeline = [
    { $match: { a: 3, c: { $lt: 100 } } },
    { $sort: { c: -1 } },
    { $limit: 3 },
    { $set: { x: 1 } },
  ];
  const stages = [{ $match: { _id: 1 } }, { $unionWith: { coll: other.collectionName, pipeline } }];
  const explained = await one.aggregate(stages).explain('executionStats');
  const [{ $cursor }] = explained.stages[1].$unionWith.pipeline;
  expect($cursor.queryPlanner.winningPlan).toMatchObject({ stage: 'LIMIT', inputStage: { stage: 'FETCH' } });
  expect($cursor.executionStats).toMatchObject({ totalKeysExamined: 3, totalDocsExamined: 3 });
  const found = await one.aggregate([...stages, { $project: { c: 1, x: 1 } }]).toArray();
  expect(found).toEqual([{ _id: 1, c: 1 }, ...[93, 83, 73].map((c) => ({ _id: c, c, x: 1 }))]);
});

describe('a collection that does not exist', () => {
  test('is planned as empty, whatever index is hinted: no error', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    const hint = 'none';
    expect(await explainFind(collection, { a: 1 }, { hint, sort: { b: 1 } })).toMatchObject({
      stages: 'EOF',
      docs: 0,
    });
    expect(await collection.find({ a: 1 }, { hint, min: { a: 1 } }).toArray()).toEqual([]);
    expect(await collection.countDocuments({}, { hint })).toBe(0);
    expect(await collection.deleteMany({ a: 1 }, { hint })).toMatchObject({ deletedCount: 0 });
    await server.client.withSession((session) =>
      session.withTransaction(async () => {
        const options = { hint, session };
        expect(await collection.find({}, options).toArray()).toEqual([]);
        expect(await collection.updateOne({ a: 1 }, { $set: { b: 1 } }, options)).toMatchObject({
          matchedCount: 0,
        });
      }),
    );
    expect(await collection.updateOne({ _id: 1 }, { $set: { b: 1 } }, { hint, upsert: true })).toMatchObject({
      upsertedCount: 1,
    });
    expect(await refusal(collection.find({}, { hint }).toArray())).toMatchObject({ code: 2 });
  });
});
