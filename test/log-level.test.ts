import { expect, test } from 'vitest';
import { silentLogger } from '../src/index.js';
import { atLevel, logLevels } from '../src/log-level.js';

test.each([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
] as const)('at level %s the log has %j', (level, expected) => {
  const passed: string[] = [];
  const record = (message: string) => void passed.push(message);
  const log = atLevel(level, { debug: record, info: record, warn: record, error: record });

  for (const of of logLevels) log[of](of);

  expect(passed).toEqual(expected);
});

test('a level that is none is refused', () => {
  expect(() => atLevel(JSON.parse('"verbose"'), silentLogger)).toThrow('Level of the log is invalid');
});
