import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../../handlers/http/body.js';
import { expectProblem, useApi } from './api.js';

const api = useApi({ sessionSecrets: ['a-secret-for-tests-of-large-bodies'] });

/** A request to add a job, of exactly this many bytes. */
function bodyOf(bytes: number): string {
  const frame = '{"name":"echo","input":{"a":""}}';
  return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
}

test('a body of 1 MB is read', async () => {
  const response = await api.call('/v1/jobs', { body: bodyOf(MAX_BODY_BYTES) });

  expect(response.status).toBe(202);
});

test('a body of one byte more is refused, and nothing is stored', async () => {
  const response = await api.call('/v1/jobs', { body: bodyOf(MAX_BODY_BYTES + 1) });

  await expectProblem(response, 413, 'body_too_large');
  expect(await api.storedJobs()).toBe(0);
});

test('a body that comes in chunks and never says its size is cut off at the limit', async () => {
  const outgoing = request(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { authorization: 'Bearer key-of-write', 'content-type': 'application/json' },
  });
  const answered = once(outgoing, 'response');
  outgoing.write('{"name":"echo","input":{"a":"');
  for (let sent = 0; sent <= MAX_BODY_BYTES; sent += 64 * 1024) outgoing.write('x'.repeat(64 * 1024));
  // No end: the answer comes though the body could go on for ever.
  const [response] = await answered;

  expect(response.statusCode).toBe(413);
  expect(JSON.parse(await text(response)).code).toBe('body_too_large');
  outgoing.destroy();
  expect(await api.storedJobs()).toBe(0);
});

test.each([
  ['too large', '/v1/jobs', 413],
  ['of somebody whose session is over', '/dashboard/jobs', 303],
])('after a body that is not read, %s, the connection serves the next request', async (_, path, status) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = async (to: string, body: string) => {
    const outgoing = request(api.url + to, {
      agent,
      method: 'POST',
      headers: {
        origin: api.url,
        authorization: 'Bearer key-of-write',
        'content-type': 'application/json',
        'content-length': body.length,
      },
    });
    const answered = once(outgoing, 'response');
    outgoing.end(body);
    const [response] = await answered;
    await text(response);
    return { status: response.statusCode, isReused: outgoing.reusedSocket };
  };

  expect(await send(path, bodyOf(MAX_BODY_BYTES + 1))).toEqual({ status, isReused: false });
  expect(await send('/v1/jobs', bodyOf(100))).toEqual({ status: 202, isReused: true });
  agent.destroy();
});

test('a Content-Length beyond the limit is refused before the body comes', async () => {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-write\r\n' +
      'Content-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n',
  );
  const [chunk] = await once(socket, 'data');

  expect(String(chunk)).toMatch(/^HTTP\/1.1 413 /);
  socket.destroy();
});
