import { BSONRegExp, Decimal128, type Document, Double, Int32, Long, ObjectId } from 'mongodb';
import { expect, test } from 'vitest';
import { freshName, refusal, useServer } from './server.js';

const server = useServer();

/** What expressions are evaluated on. */
const doc = {
  n: 7,
  s: 'Straße',
  nil: null,
  a: [3, 1, 2],
  empty: [],
  docs: [{ k: 1 }, { k: 2, v: [5, 6] }, 3, [{ k: 9 }]],
  sub: { x: 1, 'y.z': 2, $d: 3 },
  numbers: { 0: 'zero' },
  matrix: [[1, 2], [3]],
  t: new Date('2024-01-31T23:30:15.250Z'),
  dst: new Date('2024-03-31T00:30:00Z'),
  sunday: new Date('2021-01-03T12:00:00Z'),
  id: new ObjectId('65ba0000aabbccddeeff0011'),
};

const date = (text: string) => new Date(text);
const berlin = 'Europe/Berlin';
const MISSING = Symbol('missing');
/** Written apart, for a literal with `then` looks like a promise. */
const then = (value: unknown) => Object.fromEntries([['then', value]]);
const r = (pattern: string, options = '') => new BSONRegExp(pattern, options);

/** Expressions and their values as MongoDB 7.0 gives them; a `{ code }` where it refuses. */
const cases: [string, unknown, unknown][] = [
  ['a path through an array of documents', '$docs.k', [1, 2]],
  ['a path through nested arrays', '$docs.v', [[5, 6]]],
  ['a number in a path is no index', '$a.0', []],
  ['a number in a path may be a name', '$numbers.0', 'zero'],
  ['a missing path', '$no.where', MISSING],
  ['a path below a scalar', '$n.x', MISSING],
  ['$$ROOT', '$$ROOT.sub.x', 1],
  ['$$REMOVE', '$$REMOVE', MISSING],
  ['$$NOW', '$$NOW', date('2026-01-31T12:00:00Z')],
  ['$ alone', '$', { code: 16872 }],
  ['an empty name in a path', '$a..b', { code: 15998 }],
  ['a document of expressions leaves out what is missing', { x: '$n', y: '$nope' }, { x: 7 }],
  ['an array of expressions has null for what is missing', ['$n', '$nope'], [7, null]],
  ['$literal', { $literal: '$n' }, '$n'],
  ['an unknown operator', { $nope: 1 }, { code: 168 }],

  ['$concat', { $concat: ['a', '$s'] }, 'aStraße'],
  ['$concat with null', { $concat: ['a', '$nil'] }, null],
  ['$concat with a missing field', { $concat: ['a', '$nope'] }, null],
  ['$concat of a number', { $concat: ['a', 1] }, { code: 16702 }],
  ['$toUpper knows ASCII only', { $toUpper: '$s' }, 'STRAßE'],
  ['$toUpper of null', { $toUpper: '$nil' }, ''],
  ['$toLower of a number', { $toLower: 12 }, '12'],
  ['$strLenCP', { $strLenCP: '😀ß' }, 2],
  ['$strLenBytes', { $strLenBytes: '😀ß' }, 6],
  ['$strLenCP of null', { $strLenCP: '$nil' }, { code: 34471 }],
  ['$substrCP', { $substrCP: ['a😀bc', 1, 2] }, '😀b'],
  ['$substrCP past the end', { $substrCP: ['abc', 5, 2] }, ''],
  ['$substrCP of null', { $substrCP: ['$nil', 0, 2] }, ''],
  ['$substrCP of a number', { $substrCP: [1234, 1, 2] }, '23'],
  ['$substrBytes', { $substrBytes: ['aßc', 1, 2] }, 'ß'],
  ['$substrBytes inside a character', { $substrBytes: ['aßc', 2, 1] }, { code: 28656 }],
  ['$substrBytes to the end', { $substrBytes: ['abc', 1, -1] }, 'bc'],
  ['$split', { $split: ['a-b-', '-'] }, ['a', 'b', '']],
  ['$split of null', { $split: ['$nil', '-'] }, null],
  ['$split by nothing', { $split: ['ab', ''] }, { code: 40087 }],
  ['$indexOfCP', { $indexOfCP: ['😀abab', 'b'] }, 2],
  ['$indexOfCP between bounds', { $indexOfCP: ['abab', 'b', 2, 4] }, 3],
  ['$indexOfCP of nothing past the end', { $indexOfCP: ['ab', '', 5] }, -1],
  ['$indexOfBytes', { $indexOfBytes: ['ßa', 'a'] }, 2],
  ['$indexOfCP in null', { $indexOfCP: ['$nil', 'a'] }, null],
  ['$trim', { $trim: { input: ' \t a b ' } }, 'a b'],
  ['$ltrim by characters', { $ltrim: { input: 'xyxa', chars: 'xy' } }, 'a'],
  ['$rtrim by null', { $rtrim: { input: 'a', chars: '$nil' } }, null],
  [
    '$replaceOne is literal',
    { $replaceOne: { input: 'a.b.c', find: '.', replacement: { $literal: '$&' } } },
    'a$&b.c',
  ],
  ['$replaceAll', { $replaceAll: { input: 'a.b.c', find: '.', replacement: '-' } }, 'a-b-c'],
  ['$strcasecmp', { $strcasecmp: ['ab', 'AC'] }, -1],
  ['$regexMatch', { $regexMatch: { input: 'aBc', regex: 'b', options: 'i' } }, true],
  ['$regexMatch of null', { $regexMatch: { input: '$nil', regex: 'b' } }, false],
  [
    '$regexFind',
    { $regexFind: { input: '😀ab', regex: r('(a)(x)?') } },
    { match: 'a', idx: 1, captures: ['a', null] },
  ],
  [
    '$regexFindAll of empty matches ends',
    { $regexFindAll: { input: 'ab', regex: 'x*' } },
    [
      { match: '', idx: 0, captures: [] },
      { match: '', idx: 1, captures: [] },
      { match: '', idx: 2, captures: [] },
    ],
  ],
  ['$toString of a date', { $toString: '$t' }, '2024-01-31T23:30:15.250Z'],
  ['$toString of a double', { $toString: new Double(2.5) }, '2.5'],
  ['$toString of a great double', { $toString: new Double(1e21) }, '1e+21'],
  ['$toString of an ObjectId', { $toString: '$id' }, '65ba0000aabbccddeeff0011'],
  ['$toString of a boolean', { $toString: true }, 'true'],
  ['$toString of an array', { $toString: '$a' }, { code: 241 }],

  ['$convert with onNull', { $convert: { input: '$nil', to: 'int', onNull: -1 } }, -1],
  ['$convert with onError', { $convert: { input: 'x', to: 'int', onError: -2 } }, -2],
  ['$toInt truncates', { $toInt: new Double(-2.9) }, -2],
  ['$toInt of a fraction in a string', { $toInt: '2.5' }, { code: 241 }],
  ['$toInt past its range', { $toInt: Long.fromString('3000000000') }, { code: 241 }],
  ['$toDouble', { $toDouble: '1e3' }, 1000],
  ['$toBool of a string', { $toBool: '' }, true],
  ['$toBool of zero', { $toBool: 0 }, false],
  ['$toDate of a local time reads UTC', { $toDate: '2024-02-03T04:05:06' }, date('2024-02-03T04:05:06Z')],
  ['$toDate of a day', { $toDate: '2024-02-03' }, date('2024-02-03T00:00:00Z')],
  ['$toDate with an offset', { $toDate: '2024-02-03T04:05:06+0200' }, date('2024-02-03T02:05:06Z')],
  ['$toDate of a long', { $toDate: Long.fromNumber(5) }, date('1970-01-01T00:00:00.005Z')],
  ['$toDate of an int', { $toDate: new Int32(5) }, { code: 241 }],
  ['$toDate of nonsense', { $toDate: 'x' }, { code: 241 }],
  ['$toObjectId', { $toObjectId: '65ba0000aabbccddeeff0011' }, doc.id],
  ['$type of a missing field', { $type: '$nope' }, 'missing'],
  ['$type', { $type: '$a' }, 'array'],

  ['$arrayElemAt from the end', { $arrayElemAt: ['$a', -1] }, 2],
  ['$arrayElemAt out of bounds', { $arrayElemAt: ['$a', 3] }, MISSING],
  ['$arrayElemAt of null', { $arrayElemAt: ['$nil', 0] }, null],
  ['$arrayElemAt of a scalar', { $arrayElemAt: ['$n', 0] }, { code: 28689 }],
  ['$first of arrays', { $first: '$matrix' }, [1, 2]],
  ['$last', { $last: '$a' }, 2],
  ['$first of an empty array', { $first: '$empty' }, MISSING],
  ['$slice', { $slice: ['$a', -2] }, [1, 2]],
  ['$slice from a place', { $slice: ['$a', 1, 5] }, [1, 2]],
  ['$slice of null', { $slice: ['$nil', 1] }, null],
  ['$slice of nothing', { $slice: ['$a', 0, 0] }, { code: 28729 }],
  ['$range', { $range: [5, 0, -2] }, [5, 3, 1]],
  ['$concatArrays with null', { $concatArrays: ['$a', '$nil'] }, null],
  ['$concatArrays', { $concatArrays: ['$a', [9]] }, [3, 1, 2, 9]],
  ['$in', { $in: [1, '$a'] }, true],
  ['$in of a scalar', { $in: [1, '$n'] }, { code: 40081 }],
  ['$indexOfArray', { $indexOfArray: ['$a', 2] }, 2],
  ['$indexOfArray from a place', { $indexOfArray: ['$a', 3, 1] }, -1],
  ['$indexOfArray in null', { $indexOfArray: ['$nope', 3] }, null],
  ['$reverseArray', { $reverseArray: '$a' }, [2, 1, 3]],
  ['$sortArray', { $sortArray: { input: '$a', sortBy: -1 } }, [3, 2, 1]],
  ['$zip takes the shortest', { $zip: { inputs: ['$a', '$empty'] } }, []],
  [
    '$zip by the longest',
    { $zip: { inputs: [[1], [2, 3]], useLongestLength: true, defaults: [0, 0] } },
    [
      [1, 2],
      [0, 3],
    ],
  ],
  ['$map', { $map: { input: '$a', as: 'x', in: { $add: ['$$x', '$n'] } } }, [10, 8, 9]],
  ['$map of documents without the field', { $map: { input: '$docs', in: '$$this.k' } }, [1, 2, null, [9]]],
  ['$map of null', { $map: { input: '$nil', in: 1 } }, null],
  ['$map of a scalar', { $map: { input: '$n', in: 1 } }, { code: 16883 }],
  ['$filter with a limit', { $filter: { input: '$a', as: 'x', cond: { $gt: ['$$x', 1] }, limit: 1 } }, [3]],
  ['$filter of null', { $filter: { input: '$nope', cond: true } }, null],
  [
    '$reduce knows the document',
    { $reduce: { input: '$a', initialValue: '$n', in: { $add: ['$$value', '$$this', '$n'] } } },
    34,
  ],
  ['$reduce of an empty array', { $reduce: { input: '$empty', initialValue: 5, in: 6 } }, 5],
  ['$reduce of null', { $reduce: { input: '$nil', initialValue: 5, in: 6 } }, null],
  [
    'nested $map',
    {
      $map: {
        input: '$matrix',
        as: 'row',
        in: { $map: { input: '$$row', in: { $multiply: ['$$this', { $size: '$$row' }] } } },
      },
    },
    [[2, 4], [3]],
  ],
  [
    '$let',
    { $let: { vars: { x: '$n' }, in: { $let: { vars: { y: 1 }, in: { $add: ['$$x', '$$y'] } } } } },
    8,
  ],
  ['$firstN', { $firstN: { n: 2, input: '$a' } }, [3, 1]],
  ['$maxN', { $maxN: { n: 2, input: [1, null, 'x', 3] } }, ['x', 3]],
  ['$minN', { $minN: { n: 1, input: '$a' } }, [1]],
  ['$max of an array', { $max: '$a' }, 3],
  ['$sum of an array and a scalar', { $sum: ['$a', 1] }, 1],
  ['$sum of an array', { $sum: '$a' }, 6],
  ['$avg of nothing', { $avg: '$empty' }, null],
  ['$anyElementTrue', { $anyElementTrue: [[0, null]] }, false],
  ['$allElementsTrue', { $allElementsTrue: [[1, 'x']] }, true],
  ['$setUnion', { $setUnion: ['$a', [1, 9]] }, [1, 2, 3, 9]],
  ['$arrayToObject', { $arrayToObject: [[{ k: 'x', v: 1 }]] }, { x: 1 }],
  ['$objectToArray', { $objectToArray: { x: 1 } }, [{ k: 'x', v: 1 }]],
  ['$mergeObjects', { $mergeObjects: ['$sub', null, { x: 9 }] }, { x: 9, 'y.z': 2, $d: 3 }],
  ['$mergeObjects of an array', { $mergeObjects: ['$docs'] }, { code: 40400 }],
  ['$getField with a dot', { $getField: { field: 'y.z', input: '$sub' } }, 2],
  ['$getField with a dollar', { $getField: { field: { $literal: '$d' }, input: '$sub' } }, 3],
  ['$getField of the document', { $getField: 'n' }, 7],
  ['$getField of null', { $getField: { field: 'x', input: '$nil' } }, null],
  ['$getField that is missing', { $getField: { field: 'q', input: '$sub' } }, MISSING],
  ['$setField', { $setField: { field: 'y.z', input: '$sub', value: 5 } }, { x: 1, 'y.z': 5, $d: 3 }],
  [
    '$setField with $$REMOVE',
    { $setField: { field: 'x', input: '$sub', value: '$$REMOVE' } },
    { 'y.z': 2, $d: 3 },
  ],
  ['$unsetField', { $unsetField: { field: 'x', input: '$sub' } }, { 'y.z': 2, $d: 3 }],

  ['$cond in three parts', { $cond: [{ $gt: ['$n', 5] }, 'yes', 'no'] }, 'yes'],
  ['$cond to $$REMOVE', { $cond: { if: false, ...then(1), else: '$$REMOVE' } }, MISSING],
  ['$ifNull', { $ifNull: ['$nope', '$nil', 4] }, 4],
  [
    '$switch',
    { $switch: { branches: [{ case: { $eq: ['$n', 7] }, ...then('seven') }], default: 0 } },
    'seven',
  ],
  ['$switch without a match', { $switch: { branches: [{ case: false, ...then(1) }] } }, { code: 40066 }],
  ['a missing field is less than null', { $lt: ['$nope', null] }, true],
  ['a missing field is not null', { $eq: ['$nope', null] }, false],
  ['$cmp across types', { $cmp: ['a', 1] }, 1],
  ['$and of nothing', { $and: [] }, true],
  ['$or of strings', { $or: ['', 0] }, true],
  ['$not', { $not: ['$nil'] }, true],

  ['$add of a date', { $add: ['$t', 1000] }, date('2024-01-31T23:30:16.250Z')],
  ['$subtract of dates', { $subtract: ['$t', date('2024-01-31T23:30:15Z')] }, Long.fromNumber(250)],
  ['$add with null', { $add: [1, '$nil'] }, null],
  ['$divide by zero', { $divide: [1, 0] }, { code: 2 }],
  ['$mod of a negative', { $mod: [-7, 3] }, -1],
  ['$round to even', { $round: [2.5] }, 2],
  ['$round to a place', { $round: [1234.567, 2] }, 1234.57],
  ['$round before the point', { $round: [1250, -2] }, 1200],
  ['$trunc', { $trunc: [-2.9] }, -2],
  ['$pow', { $pow: [2, 10] }, 1024],
  ['$floor of a decimal', { $floor: Decimal128.fromString('2.7') }, Decimal128.fromString('2')],
  ['$abs of a string', { $abs: '$s' }, { code: 28765 }],

  ['$hour in a zone', { $hour: { date: '$t', timezone: berlin } }, 0],
  ['$dayOfMonth in a zone', { $dayOfMonth: { date: '$t', timezone: berlin } }, 1],
  ['$hour with an offset', { $hour: { date: '$t', timezone: '-0530' } }, 18],
  [
    '$hour in a zone of three names',
    { $hour: { date: '$t', timezone: 'America/Argentina/Buenos_Aires' } },
    20,
  ],
  ['$hour in UTC', { $hour: { date: '$t', timezone: 'UTC' } }, 23],
  ['$hour in no zone', { $hour: { date: '$t', timezone: 'Mars/Olympus' } }, { code: 40485 }],
  ['$year of null', { $year: '$nil' }, null],
  ['$year of a string', { $year: '$s' }, { code: 16006 }],
  ['$year of an ObjectId', { $year: '$id' }, 2024],
  ['$week', { $week: '$sunday' }, 1],
  ['$isoWeek', { $isoWeek: '$sunday' }, 53],
  ['$isoWeekYear', { $isoWeekYear: '$sunday' }, Long.fromNumber(2020)],
  ['$dayOfWeek', { $dayOfWeek: '$sunday' }, 1],
  ['$isoDayOfWeek', { $isoDayOfWeek: '$sunday' }, 7],
  ['$dayOfYear', { $dayOfYear: '$dst' }, 91],
  ['$dateToString', { $dateToString: { date: '$t' } }, '2024-01-31T23:30:15.250Z'],
  ['$dateToString in a zone', { $dateToString: { date: '$t', timezone: berlin } }, '2024-02-01T00:30:15.250'],
  [
    '$dateToString with a format',
    {
      $dateToString: {
        date: '$sunday',
        format: '%Y/%m/%d %H:%M %j %w %u %U %V %G %z %Z %%',
        timezone: '+02:00',
      },
    },
    '2021/01/03 14:00 003 1 7 01 53 2020 +0200 120 %',
  ],
  ['$dateToString of null', { $dateToString: { date: '$nil', onNull: 'none' } }, 'none'],
  ['$dateToString with an unknown letter', { $dateToString: { date: '$t', format: '%q' } }, { code: 18536 }],
  [
    '$dateFromString',
    { $dateFromString: { dateString: '2024-02-08T12:10:40.787Z' } },
    date('2024-02-08T12:10:40.787Z'),
  ],
  [
    '$dateFromString in a zone',
    { $dateFromString: { dateString: '2024-07-08', timezone: berlin } },
    date('2024-07-07T22:00:00Z'),
  ],
  [
    '$dateFromString with a format',
    { $dateFromString: { dateString: '06-15-2018', format: '%m-%d-%Y' } },
    date('2018-06-15T00:00:00Z'),
  ],
  ['$dateFromString with onError', { $dateFromString: { dateString: 'x', onError: 'bad' } }, 'bad'],
  ['$dateFromString with onNull', { $dateFromString: { dateString: '$nil', onNull: 0 } }, 0],
  [
    '$dateFromString of a form not known here',
    { $dateFromString: { dateString: 'July 4, 2024', onError: 0 } },
    { code: 238 },
  ],
  ['$dateFromParts', { $dateFromParts: { year: 2024, month: 14, day: 1 } }, date('2025-02-01T00:00:00Z')],
  [
    '$dateFromParts in a zone',
    { $dateFromParts: { year: 2024, month: 7, hour: 12, timezone: berlin } },
    date('2024-07-01T10:00:00Z'),
  ],
  [
    '$dateFromParts by week',
    { $dateFromParts: { isoWeekYear: 2020, isoWeek: 53, isoDayOfWeek: 7 } },
    date('2021-01-03T00:00:00Z'),
  ],
  ['$dateFromParts with null', { $dateFromParts: { year: 2024, month: '$nil' } }, null],
  [
    '$dateToParts',
    { $dateToParts: { date: '$t', timezone: berlin } },
    { year: 2024, month: 2, day: 1, hour: 0, minute: 30, second: 15, millisecond: 250 },
  ],
  [
    '$dateAdd ends with the month',
    { $dateAdd: { startDate: '$t', unit: 'month', amount: 1 } },
    date('2024-02-29T23:30:15.250Z'),
  ],
  [
    '$dateAdd of a day in a zone keeps the clock',
    { $dateAdd: { startDate: '$dst', unit: 'day', amount: 1, timezone: berlin } },
    date('2024-03-31T23:30:00Z'),
  ],
  [
    '$dateAdd of hours counts them',
    { $dateAdd: { startDate: '$dst', unit: 'hour', amount: 24, timezone: berlin } },
    date('2024-04-01T00:30:00Z'),
  ],
  [
    '$dateSubtract',
    { $dateSubtract: { startDate: '$t', unit: 'quarter', amount: 1 } },
    date('2023-10-31T23:30:15.250Z'),
  ],
  ['$dateAdd to null', { $dateAdd: { startDate: '$nil', unit: 'day', amount: 1 } }, null],
  [
    '$dateDiff counts boundaries',
    { $dateDiff: { startDate: date('2023-12-31T23:59:59Z'), endDate: '$t', unit: 'year' } },
    Long.fromNumber(1),
  ],
  [
    '$dateDiff in days of a zone',
    { $dateDiff: { startDate: date('2024-01-31T12:00:00Z'), endDate: '$t', unit: 'day', timezone: berlin } },
    Long.fromNumber(1),
  ],
  [
    '$dateDiff in weeks from Monday',
    {
      $dateDiff: {
        startDate: '$sunday',
        endDate: date('2021-01-04T00:00:00Z'),
        unit: 'week',
        startOfWeek: 'monday',
      },
    },
    Long.fromNumber(1),
  ],
  [
    '$dateTrunc to a month',
    { $dateTrunc: { date: '$t', unit: 'month', timezone: berlin } },
    date('2024-01-31T23:00:00Z'),
  ],
  ['$dateTrunc to a week', { $dateTrunc: { date: '$t', unit: 'week' } }, date('2024-01-28T00:00:00Z')],
  [
    '$dateTrunc to a quarter of an hour',
    { $dateTrunc: { date: '$t', unit: 'minute', binSize: 15 } },
    date('2024-01-31T23:30:00Z'),
  ],
  [
    '$dateTrunc to a day of a zone',
    { $dateTrunc: { date: '$t', unit: 'day', timezone: berlin } },
    date('2024-01-31T23:00:00Z'),
  ],
  ['an unknown unit', { $dateTrunc: { date: '$t', unit: 'fortnight' } }, { code: 9 }],

  ['$function', { $function: { body: '', args: [], lang: 'js' } }, { code: 238 }],
  ['$median', { $median: { input: '$a', method: 'approximate' } }, { code: 238 }],
  ['an operator newer than 7.0', { $sigmoid: 1 }, { code: 168 }],
];

const collection = freshName();

test.each(cases)('%s', async (_, expression, expected) => {
  const things = server.db.collection(collection);
  await things.replaceOne({}, doc, { upsert: true });
  const found = things.aggregate<Document>([{ $project: { _id: 0, value: expression } }], {
    promoteLongs: false,
  });
  if (isCode(expected)) expect(await refusal(found.toArray())).toMatchObject(expected);
  else expect(await found.toArray()).toEqual([expected === MISSING ? {} : { value: expected }]);
});

function isCode(expected: unknown): expected is { code: number } {
  return typeof expected === 'object' && expected !== null && 'code' in expected;
}
