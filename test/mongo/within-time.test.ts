import { once } from 'node:events';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { withinTime } from '../../src/mongo/within-time.js';

const LIMIT_MS = 10;

test('an answer that came while the event loop was blocked is heard, though the time is over', async () => {
  const { port1, port2 } = new MessageChannel();
  await turnOfEventLoop(); // So that timers are next, and reading after them.
  const answer = withinTime(LIMIT_MS, once(port2, 'message'));
  port1.postMessage('answer');
  const end = performance.now() + 2 * LIMIT_MS;
  while (performance.now() < end);
  try {
    expect(await answer).toMatchObject(['answer']);
  } finally {
    port1.close();
  }
});

test('without an answer it rejects', async () => {
  await expect(withinTime(LIMIT_MS, new Promise(() => {}), 'The clock')).rejects.toMatchObject({
    name: 'NoAnswer',
    message: 'The clock did not answer within 10 ms.',
  });
});
