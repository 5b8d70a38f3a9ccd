import { expect, test } from 'vitest';
import { remembering } from '../../src/scheduler/calendar/remembering.js';

test('an answer is computed once while it is remembered, and no more than the limit are', () => {
  const computed: number[] = [];
  const double = remembering(2, (value: number) => {
    computed.push(value);
    return value * 2;
  });
  expect([1, 2, 1, 2].map(double)).toEqual([2, 4, 2, 4]);
  expect(computed).toEqual([1, 2]);
  expect([3, 3, 1].map(double)).toEqual([6, 6, 2]);
  expect(computed).toEqual([1, 2, 3, 1]);
});
