import { expect, test, vi } from 'vitest';
import { jsonLogger, type LogFields, withFields } from '../src/log.js';

test.each(['debug', 'info', 'warn', 'error'] as const)(
  'fields are added to what is logged at %s',
  (level) => {
    const events: unknown[] = [];
    const note = (message: string, fields?: LogFields) => void events.push({ message, ...fields });
    let requestId = 'first';
    const log = withFields({ debug: note, info: note, warn: note, error: note }, () => ({ requestId }));

    log[level]('Began');
    requestId = 'second';
    log[level]('Ended', { outcome: 'completed' });
    log[level]('About another', { requestId: 'third' });

    expect(events).toEqual([
      { message: 'Began', requestId: 'first' },
      { message: 'Ended', requestId: 'second', outcome: 'completed' },
      { message: 'About another', requestId: 'third' },
    ]);
  },
);

test('an event is a line of JSON, and nothing else, where console.log puts something before it', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const log = vi.spyOn(console, 'log').mockImplementation((line) => process.stdout.write(`INFO\t${line}\n`));

  jsonLogger.warn('The kick failed', { depth: 1 });

  log.mockRestore();
  const written = write.mock.calls.map(([line]) => `${line}`);
  write.mockRestore();
  expect(written).toEqual([expect.stringMatching(/^[^\n]*\n$/)]);
  expect(JSON.parse(written[0] ?? '')).toEqual({
    time: expect.stringMatching(/Z$/),
    level: 'warn',
    message: 'The kick failed',
    depth: 1,
  });
});
