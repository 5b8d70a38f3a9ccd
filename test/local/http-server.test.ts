import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hono } from 'hono';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startHttpServer } from '../../local/http-server.js';
import { eventually } from '../eventually.js';
import { Gate } from '../jobs.js';

/** Longer than a test may take: nothing waits for its end. */
const LONG_MS = 600_000;

const never = new AbortController().signal;

test('at the stop a request that waits is answered at once', async () => {
  const arrived = new Gate();
  const app = new Hono().get('/', async ({ req, text }) => {
    arrived.open();
    await sleep(LONG_MS, undefined, { signal: req.raw.signal }).catch(() => {});
    return text('as it is now');
  });
  const server = await startHttpServer(app, '127.0.0.1', 0);
  const answer = fetch(server.url).then((response) => response.text());
  await arrived.pass(never);
  vi.useFakeTimers({ toFake: ['setTimeout'] }); // Its patience does not end.
  onTestFinished(() => void vi.useRealTimers());

  await server.stop();

  expect(await answer).toBe('as it is now');
}, 40_000); // Less than its client keeps the connection.

test('at the stop a request that writes is left to its end', async () => {
  const arrived = new Gate();
  const stopped = new Gate();
  const app = new Hono().post('/', async ({ req, json }) => {
    arrived.open();
    await stopped.pass(never);
    return json({ isTold: req.raw.signal.aborted, body: await req.text() });
  });
  const server = await startHttpServer(app, '127.0.0.1', 0);
  const answer = fetch(server.url, { method: 'POST', body: 'all' }).then((response) => response.json());
  await arrived.pass(never);

  const stopping = server.stop();
  stopped.open();
  await stopping;

  expect(await answer).toEqual({ isTold: false, body: 'all' });
});

test('a client that sends a byte now and then is answered when its time is over', async () => {
  const app = new Hono().post('/', async ({ req, text }) => text(await req.text()));
  const server = await startHttpServer(app, '127.0.0.1', 0, 100);
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n');
  socket.on('error', () => {}); // It writes until the other end is gone.
  const drip = setInterval(() => socket.write('x'), 10);

  const answer = await text(socket).finally(() => clearInterval(drip));

  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
    status: 408,
    code: 'request_timeout',
  });
  await server.stop();
});

test('a connection is kept for the next request for longer than proxies keep theirs, and than a request may take', async () => {
  const app = new Hono().get('/', ({ text }) => text('here'));
  const server = await startHttpServer(app, '127.0.0.1', 0, 50);
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
  let answers = '';
  socket.on('data', (chunk) => {
    answers += chunk;
  });

  socket.write(request);
  await eventually(() => expect(answers).toMatch(/keep-alive: timeout=65\r\n.*here$/is));
  await sleep(200); // Would it be closed now, the next would not be answered, however long one waits.
  socket.write(request);

  await eventually(() => expect(answers.match(/here/g)).toHaveLength(2));
  socket.destroy();
  await server.stop();
});
