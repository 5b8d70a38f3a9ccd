import { expect, test } from 'vitest';
import { decodeText } from '../../../local/cli/decode-text.js';

const json = '{ "a": "é€" }';
const utf32 = (text: string) =>
  Buffer.concat([...text].map((letter) => Buffer.from([letter.codePointAt(0) ?? 0, 0, 0, 0])));

test.each([
  ['without a mark', Buffer.from(json)],
  ['with a mark', Buffer.from(`\ufeff${json}`)],
])('UTF-8 %s is read', (_, bytes) => {
  expect(decodeText(bytes)).toBe(json);
});

test('nothing is no text', () => {
  expect(decodeText(Buffer.alloc(0))).toBe('');
});

test.each([
  ['UTF-16', Buffer.from(`\ufeff${json}`, 'utf16le')],
  ['UTF-16', Buffer.from(json, 'utf16le')],
  ['UTF-16', Buffer.from(`\ufeff${json}`, 'utf16le').swap16()],
  ['UTF-16', Buffer.from(json, 'utf16le').swap16()],
  ['UTF-32', utf32('\ufeff{}')],
  ['UTF-32', utf32('{}')],
  ['UTF-32', utf32('{}').swap32()],
  ['not UTF-8', Buffer.from(json, 'latin1')],
])('%s is named', (name, bytes) => {
  expect(() => decodeText(bytes)).toThrow(`it is ${name}`);
});
