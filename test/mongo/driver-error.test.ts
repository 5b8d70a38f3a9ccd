/** An error is judged by what it tells: whichever version of the driver it is of, and whatever else is thrown. */
import { describe, expect, test } from 'vitest';
import { hasLabel } from '../../src/mongo/driver-error.js';
import { isDuplicateKey } from '../../src/mongo/duplicate-key.js';
import { isHintRefused } from '../../src/mongo/index-missing.js';
import { isUnknownOutcome, isUnreachable, isWriteConflict } from '../../src/mongo/unreachable.js';

const judgements = { isUnreachable, isUnknownOutcome, isWriteConflict, isDuplicateKey, isHintRefused };

const fails = () => {
  throw new Error('do not ask');
};
const asks = ['get', 'has', 'getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor'];
const refusing = Object.fromEntries(asks.map((trap) => [trap, fails]));

const hostile: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'MongoNetworkError'],
  ['a proxy that refuses to answer', new Proxy(new Error('no'), refusing)],
  ['an error whose code throws', Object.defineProperty(new Error('no'), 'code', { get: fails })],
  ['an error whose name throws', Object.defineProperty(new Error('no'), 'name', { get: fails })],
  ['an error whose labels throw', Object.defineProperty(new Error('no'), 'errorLabels', { get: fails })],
  [
    'an error whose labels are a proxy',
    Object.assign(new Error('no'), { errorLabels: new Proxy([], refusing) }),
  ],
  [
    'an error whose labels are none',
    Object.assign(new Error('no'), { errorLabels: { includes: () => true } }),
  ],
  [
    'an error whose label set is none',
    Object.assign(new Error('no'), { errorLabelSet: { has: () => true } }),
  ],
];

describe.each(Object.entries(judgements))('%s', (_, judge) => {
  test.each(hostile)('says no of %s', (_, thrown) => {
    expect(judge(thrown)).toBe(false);
  });
});

test.each(['errorLabels', 'errorLabelSet'])('labels are read where the driver keeps them: %s', (name) => {
  const labels = ['RetryableWriteError'];
  const error = Object.assign(new Error('no'), { [name]: name === 'errorLabels' ? labels : new Set(labels) });
  expect(hasLabel(error, 'RetryableWriteError')).toBe(true);
  expect(hasLabel(error, 'TransientTransactionError')).toBe(false);
  expect(isUnreachable(error)).toBe(true);
});
