import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { NoAnswer, withinTime } from '../../src/mongo/within-time.js';

test('an answer that has come while the event loop was blocked is taken, though its time is over', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const client = connect(address.port, '127.0.0.1');
  const [peer] = await once(server, 'connection');

  const answer = withinTime(1, once(client, 'data'));
  peer.write('the answer');
  const blocked = performance.now() + 20;
  while (performance.now() < blocked);

  expect(String(await answer)).toBe('the answer');
  client.destroy();
  server.close();
});

test('without an answer it is told who gave none, and for how long', async () => {
  const never = withinTime(5, new Promise(() => {}), 'The kick');
  await expect(never).rejects.toThrow(new NoAnswer('The kick did not answer within 5 ms.'));
});
