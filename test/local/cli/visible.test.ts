import { expect, test } from 'vitest';
import { visibleJson } from '../../../local/cli/output/visible.js';

const risky = [
  '\u001b[2J',
  '\u009b2J', // C1: the same in one character
  '\u007f',
  '\u202eabc\u202c',
  '\u2066x\u2069',
  '\u200f',
  '\u061c',
  '\ufeff',
  '\u2028',
  '\u{e0041}',
];

test('JSON for a terminal moves no cursor and turns no text around, and means the same', () => {
  const value = {
    ...risky,
    nested: [{ [risky.join('')]: 'line\nbreak\ttab' }],
    ok: 'ä 🙂 👩‍🚀 "quoted" \\u202e',
  };

  for (const indent of [0, 2]) {
    const json = visibleJson(value, indent);
    expect(json.replaceAll(/\n */g, '')).not.toMatch(/(?![\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(json).toContain('ä 🙂 👩‍🚀');
    expect(JSON.parse(json)).toEqual(value);
  }
});
