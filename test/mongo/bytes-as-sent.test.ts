import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesAsSent } from '../../src/mongo/read-page.js';

test('the bytes of a value are those of its JSON within JSON, whatever is in it', () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('"', '\\', '\n', '\u2028', '\ud800', '\u{1f642}'), fc.string()),
  });
  fc.assert(
    fc.property(fc.oneof(text, fc.dictionary(text, text), fc.jsonValue()), (value) => {
      expect(bytesAsSent(value)).toBe(Buffer.byteLength(JSON.stringify(JSON.stringify(value))));
    }),
  );
  expect(bytesAsSent(undefined)).toBe(0);
});
