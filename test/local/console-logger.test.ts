import { expect, test, vi } from 'vitest';
import { consoleLogger } from '../../local/console-logger.js';

test('a field that has no value is left out', () => {
  const log = vi.spyOn(console, 'log').mockReturnValue();

  consoleLogger.info('Request', { status: 400, key: undefined, id: null });

  const [line = ''] = log.mock.calls.map(([text]) => `${text}`);
  log.mockRestore();
  expect(line).toContain('status=400 id=null');
  expect(line).not.toContain('undefined');
});

test('what is logged moves no cursor and turns no text around', () => {
  const log = vi.spyOn(console, 'log').mockReturnValue();

  consoleLogger.warn('Job \u202e\u009b2J failed', { error: 'a\u202eb\u009b2J\u2066', list: ['\u200f'] });

  const [line = ''] = log.mock.calls.map(([text]) => `${text}`);
  log.mockRestore();
  expect(line).toContain('\\u{202e}');
  expect(line).not.toMatch(/[\u0080-\u009f\u200e-\u202e\u2066-\u2069]/);
});
