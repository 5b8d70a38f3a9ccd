import { expect, test } from 'vitest';
import * as z from 'zod';
import { cutText } from '../src/cut-text.js';
import { ValidationError } from '../src/index.js';
import { toIssues, validateNow } from '../src/validate.js';

test('an error of many mistakes tells the first 100, and in its text how many more there are', () => {
  const issues = Array.from({ length: 5000 }, (_, n) => ({ path: `a${n}`, message: 'expected less' }));
  const error = new ValidationError('The input', issues);

  expect(error.issues).toEqual(issues.slice(0, 100));
  expect(Buffer.byteLength(error.message)).toBeLessThan(2100);
  expect(error.message).toMatch(/; and 49\d\d more$/);
});

test('of a value with very many mistakes those behind the first 100 are only counted', () => {
  const value = Array.from({ length: 20_000 }, () => []);
  const schema = z.array(z.string());

  const issues = toIssues(schema.safeParse(value).error ?? new z.ZodError([]));

  expect(issues).toHaveLength(20_000);
  expect(issues[99]?.path).toBe('99');
  expect(new Set(issues.slice(100)).size).toBe(1);
  expect(() => validateNow(schema, value, 'The input')).toThrow(/; and 199\d\d more$/);
});

test('an error of few mistakes tells them all', () => {
  const issues = [
    { path: '', message: 'expected more' },
    { path: 'b', message: 'expected less' },
  ];

  expect(new ValidationError('The input', issues).message).toBe(
    'The input is invalid: expected more; b: expected less',
  );
});

test.each([
  ['short', 'short'],
  ['exactly10!', 'exactly10!'],
  ['eleven bytes', 'eleven …'],
  ['ééééé', 'ééééé'],
  ['éééééé', 'ééé…'],
  ['😀😀😀', '😀…'],
])('%s within 10 bytes is %s', (text, cut) => {
  expect(cutText(text, 10)).toBe(cut);
});
