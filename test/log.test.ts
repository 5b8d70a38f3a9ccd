import { expect, test } from 'vitest';
import { type LogFields, withFields } from '../src/log.js';

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
