import { type Document, Double, Long } from 'mongodb';
import { expect, test } from 'vitest';
import { freshName, type Numbered, refusal, useServer } from './server.js';

const server = useServer();

const orders: Numbered[] = [
  { _id: 1, item: 'a', n: 5, at: { day: 1 }, tags: ['x', 'y'] },
  { _id: 2, item: 'b', n: 3, at: { day: 2 }, tags: [] },
  { _id: 3, item: 'a', n: 7, at: { day: 2 }, tags: 'z' },
  { _id: 4, n: null, at: { day: 4 }, tags: null },
  { _id: 5, item: 'c', n: 3, at: { day: 4 } },
];
const items: (Document & { _id: string })[] = [
  { _id: 'a', code: 'a', name: 'Ant' },
  { _id: 'b', code: 'b', name: 'Bee', also: ['x', 'a'] },
  { _id: 'none', name: 'None' },
];

/** Pipelines on the orders, `items` standing for the other collection, and what MongoDB 7.0 gives. */
const cases: Record<string, [Document[], Document[] | { code: number }]> = {
  $unwind: [
    [{ $unwind: '$tags' }, { $project: { tags: 1 } }],
    [
      { _id: 1, tags: 'x' },
      { _id: 1, tags: 'y' },
      { _id: 3, tags: 'z' },
    ],
  ],
  '$unwind preserving, with an index': [
    [
      { $unwind: { path: '$tags', preserveNullAndEmptyArrays: true, includeArrayIndex: 'at.i' } },
      { $project: { tags: 1, i: '$at.i' } },
    ],
    [
      { _id: 1, tags: 'x', i: Long.fromNumber(0) },
      { _id: 1, tags: 'y', i: Long.fromNumber(1) },
      { _id: 2, i: null },
      { _id: 3, tags: 'z', i: null },
      { _id: 4, tags: null, i: null },
      { _id: 5, i: null },
    ],
  ],
  '$unwind without a $': [[{ $unwind: 'tags' }], { code: 28818 }],
  '$unwind of empty strings and documents': [
    [
      { $limit: 1 },
      { $project: { v: ['', {}, 0] } },
      { $unwind: '$v' },
      { $unwind: '$v' },
      { $project: { _id: 0 } },
    ],
    [{ v: '' }, { v: {} }, { v: 0 }],
  ],
  '$lookup joins equal values; a missing one is null': [
    [
      { $lookup: { from: 'items', localField: 'item', foreignField: 'code', as: 'found' } },
      { $project: { names: '$found.name' } },
    ],
    [
      { _id: 1, names: ['Ant'] },
      { _id: 2, names: ['Bee'] },
      { _id: 3, names: ['Ant'] },
      { _id: 4, names: ['None'] },
      { _id: 5, names: [] },
    ],
  ],
  '$lookup looks into arrays on both sides': [
    [
      { $match: { _id: { $in: [1, 2] } } },
      { $lookup: { from: 'items', localField: 'tags', foreignField: 'also', as: 'found' } },
      { $project: { names: '$found.name' } },
    ],
    [
      { _id: 1, names: ['Bee'] },
      { _id: 2, names: ['Ant', 'None'] },
    ],
  ],
  '$lookup by both a field and a pipeline': [
    [
      { $match: { _id: { $lte: 2 } } },
      {
        $lookup: {
          from: 'items',
          localField: 'item',
          foreignField: '_id',
          let: { id: '$_id' },
          pipeline: [{ $match: { $expr: { $lt: ['$$id', 2] } } }],
          as: 'found',
        },
      },
      { $project: { names: '$found.name' } },
    ],
    [
      { _id: 1, names: ['Ant'] },
      { _id: 2, names: [] },
    ],
  ],
  '$lookup by a pipeline alone': [
    [
      { $match: { _id: 1 } },
      {
        $lookup: {
          from: 'items',
          let: { i: '$item' },
          pipeline: [{ $match: { $expr: { $eq: ['$_id', '$$i'] } } }, { $project: { name: 1, _id: 0 } }],
          as: 'found',
        },
      },
      { $project: { found: 1 } },
    ],
    [{ _id: 1, found: [{ name: 'Ant' }] }],
  ],
  '$lookup with an unknown argument': [[{ $lookup: { from: 'items', on: 'x', as: 'y' } }], { code: 9 }],
  '$group by a path, with accumulators': [
    [
      { $sort: { _id: 1 } },
      {
        $group: {
          _id: '$at.day',
          sum: { $sum: '$n' },
          avg: { $avg: '$n' },
          first: { $first: '$item' },
          last: { $last: '$item' },
          max: { $max: '$n' },
          all: { $push: '$item' },
          count: { $count: {} },
          top: { $top: { sortBy: { n: -1 }, output: '$_id' } },
          two: { $firstN: { n: 2, input: '$item' } },
        },
      },
      { $sort: { _id: 1 } },
    ],
    [
      {
        _id: 1,
        sum: 5,
        avg: new Double(5),
        first: 'a',
        last: 'a',
        max: 5,
        all: ['a'],
        count: 1,
        top: 1,
        two: ['a'],
      },
      {
        _id: 2,
        sum: 10,
        avg: new Double(5),
        first: 'b',
        last: 'a',
        max: 7,
        all: ['b', 'a'],
        count: 2,
        top: 3,
        two: ['b', 'a'],
      },
      {
        _id: 4,
        sum: 3,
        avg: new Double(3),
        first: null,
        last: 'c',
        max: 3,
        all: ['c'],
        count: 2,
        top: 5,
        two: [null, 'c'],
      },
    ],
  ],
  '$group as one, deviations': [
    [
      {
        $group: {
          _id: null,
          pop: { $stdDevPop: '$n' },
          samp: { $stdDevSamp: '$none' },
          merged: { $mergeObjects: '$at' },
          most: { $maxN: { n: 2, input: '$n' } },
        },
      },
    ],
    [{ _id: null, pop: Math.sqrt(2.75), samp: null, merged: { day: 4 }, most: [7, 5] }],
  ],
  '$group without an accumulator': [[{ $group: { _id: null, x: 1 } }], { code: 40234 }],
  '$group of missing values': [
    [{ $group: { _id: '$item', n: { $sum: 1 } } }, { $sort: { _id: 1 } }],
    [
      { _id: null, n: 1 },
      { _id: 'a', n: 2 },
      { _id: 'b', n: 1 },
      { _id: 'c', n: 1 },
    ],
  ],
  $bucket: [
    [
      {
        $bucket: {
          groupBy: '$n',
          boundaries: [3, 5, 8],
          default: 'other',
          output: { ids: { $push: '$_id' } },
        },
      },
    ],
    [
      { _id: 3, ids: [2, 5] },
      { _id: 5, ids: [1, 3] },
      { _id: 'other', ids: [4] },
    ],
  ],
  '$bucket without a default': [[{ $bucket: { groupBy: '$n', boundaries: [3, 5] } }], { code: 40066 }],
  '$bucket with boundaries out of order': [
    [{ $bucket: { groupBy: '$n', boundaries: [5, 3] } }],
    { code: 40194 },
  ],
  $facet: [
    [
      {
        $facet: {
          few: [{ $sort: { _id: -1 } }, { $limit: 1 }, { $project: { _id: 1 } }],
          count: [{ $count: 'n' }],
          none: [{ $match: { n: 99 } }],
        },
      },
    ],
    [{ few: [{ _id: 5 }], count: [{ n: 5 }], none: [] }],
  ],
  '$count of nothing gives no document': [[{ $match: { n: 99 } }, { $count: 'n' }], []],
  $sortByCount: [[{ $sortByCount: '$n' }, { $limit: 1 }], [{ _id: 3, count: 2 }]],
  $replaceRoot: [[{ $limit: 1 }, { $replaceRoot: { newRoot: '$at' } }], [{ day: 1 }]],
  '$replaceRoot by what is missing': [[{ $replaceRoot: { newRoot: '$nope' } }], { code: 40228 }],
  $replaceWith: [
    [{ $limit: 1 }, { $replaceWith: { $mergeObjects: ['$at', { x: '$n' }] } }],
    [{ day: 1, x: 5 }],
  ],
  $unionWith: [
    [
      { $match: { _id: 1 } },
      { $project: { _id: 1 } },
      { $unionWith: { coll: 'items', pipeline: [{ $match: { name: 'Bee' } }, { $project: { name: 1 } }] } },
    ],
    [{ _id: 1 }, { _id: 'b', name: 'Bee' }],
  ],
  '$unionWith by an expression on a path': [
    [
      { $match: { _id: 1 } },
      { $project: { _id: 1 } },
      {
        $unionWith: {
          coll: 'items',
          pipeline: [{ $match: { $expr: { $eq: ['$name.none', '$code.none'] }, name: 'Ant' } }],
        },
      },
    ],
    [{ _id: 1 }, items[0] ?? {}],
  ],
  '$unionWith of a whole collection': [
    [{ $match: { _id: 1 } }, { $unionWith: 'items' }, { $project: { _id: 1 } }],
    [{ _id: 1 }, { _id: 'a' }, { _id: 'b' }, { _id: 'none' }],
  ],
  '$unionWith of a collection that does not exist': [
    [{ $match: { _id: 1 } }, { $unionWith: { coll: 'nowhere' } }, { $project: { _id: 1 } }],
    [{ _id: 1 }],
  ],
  '$unionWith after a $limit, which is not its own': [
    [
      { $limit: 1 },
      { $project: { _id: 1 } },
      { $unionWith: { coll: 'items', pipeline: [{ $sort: { _id: -1 } }] } },
    ],
    [{ _id: 1 }, items[2] ?? {}, items[1] ?? {}, items[0] ?? {}],
  ],
  '$unionWith of documents': [
    [{ $limit: 1 }, { $project: { _id: 1 } }, { $unionWith: { pipeline: [{ $documents: [{ x: 1 }] }] } }],
    [{ _id: 1 }, { x: 1 }],
  ],
  '$unionWith of nothing': [[{ $unionWith: {} }], { code: 9 }],
  '$unionWith of a number': [[{ $unionWith: 5 }], { code: 9 }],
  '$unionWith with an unknown argument': [[{ $unionWith: { coll: 'items', as: 'x' } }], { code: 40415 }],
  '$unionWith of a collection that is no name': [[{ $unionWith: { coll: 5 } }], { code: 14 }],
  '$unionWith with a pipeline that is none': [
    [{ $unionWith: { coll: 'items', pipeline: {} } }],
    { code: 14 },
  ],
  '$project keeps the order of the document, computed fields last': [
    [{ $match: { _id: 1 } }, { $project: { x: '$n', 'at.day': 1, item: 1 } }],
    [{ _id: 1, item: 'a', at: { day: 1 }, x: 5 }],
  ],
  '$addFields in documents of an array': [
    [{ $limit: 1 }, { $project: { l: [{ a: 1 }, { a: 2 }] } }, { $addFields: { 'l.b': '$_id' } }],
    [
      {
        _id: 1,
        l: [
          { a: 1, b: 1 },
          { a: 2, b: 1 },
        ],
      },
    ],
  ],
  '$set to $$REMOVE': [
    [{ $match: { _id: 1 } }, { $set: { tags: '$$REMOVE', at: '$$REMOVE', n: '$$REMOVE' } }],
    [{ _id: 1, item: 'a' }],
  ],
  '$setWindowFields: ranks and sums': [
    [
      {
        $setWindowFields: {
          partitionBy: '$item',
          sortBy: { n: 1 },
          output: {
            rank: { $rank: {} },
            running: { $sum: '$n', window: { documents: ['unbounded', 'current'] } },
            before: { $shift: { output: '$n', by: -1, default: 'none' } },
          },
        },
      },
      { $match: { item: 'a' } },
      { $project: { rank: 1, running: 1, before: 1 } },
    ],
    [
      { _id: 1, rank: 1, running: 5, before: 'none' },
      { _id: 3, rank: 2, running: 12, before: 5 },
    ],
  ],
  '$setWindowFields: a range of values': [
    [
      { $match: { n: { $ne: null } } },
      {
        $setWindowFields: {
          sortBy: { n: 1 },
          output: {
            near: { $push: '$_id', window: { range: [-2, 0] } },
            dense: { $denseRank: {} },
            i: { $documentNumber: {} },
          },
        },
      },
      { $project: { near: 1, dense: 1, i: 1 } },
    ],
    [
      { _id: 2, near: [2, 5], dense: 1, i: 1 },
      { _id: 5, near: [2, 5], dense: 1, i: 2 },
      { _id: 1, near: [2, 5, 1], dense: 2, i: 3 },
      { _id: 3, near: [1, 3], dense: 3, i: 4 },
    ],
  ],
  '$setWindowFields after which other stages see the right document': [
    [
      { $setWindowFields: { output: { all: { $sum: '$n' } } } },
      { $project: { both: { $add: ['$all', '$_id'] } } },
      { $limit: 2 },
    ],
    [
      { _id: 1, both: 19 },
      { _id: 2, both: 20 },
    ],
  ],
  '$limit of zero': [[{ $limit: 0 }], { code: 15958 }],
  '$skip of a negative': [[{ $skip: -1 }], { code: 5107200 }],
  '$graphLookup is refused': [[{ $graphLookup: {} }], { code: 115 }],
};

test.each(Object.entries(cases))('%s', async (_, [pipeline, expected]) => {
  const db = server.client.db(freshName());
  await db.collection<Numbered>('orders').insertMany(orders);
  await db.collection<Document & { _id: string }>('items').insertMany(items);
  const found = db.collection('orders').aggregate(pipeline, { promoteLongs: false, promoteValues: true });
  if (Array.isArray(expected)) expect(plain(await found.toArray())).toEqual(plain(expected));
  else expect(await refusal(found.toArray())).toMatchObject(expected);
});

/** Numbers by their value: the driver gives int32 and double alike. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, one) =>
      one instanceof Long ? one.toNumber() : one instanceof Double ? one.value : one,
    ),
  );
}
