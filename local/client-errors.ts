import { type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, type ProblemCode } from '../handlers/http/problem.js';
import { systemCode } from '../src/mongo/driver-error.js';

/** The problem to answer with, by Node.js error code. */
const problems: ReadonlyMap<unknown, readonly [ProblemCode, string]> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', ['request_timeout', 'The request did not arrive in time.']],
  [
    'HPE_HEADER_OVERFLOW',
    ['headers_too_large', 'The address and the headers have more than 16 KB together.'],
  ],
]);

/**
 * Answers invalid requests with a problem document: data that is not HTTP, or arrives too slowly. Refuses CONNECT, as
 * this is no proxy. Without this function, Node.js would send a bare status, or nothing.
 */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error, socket) => {
    const [code, detail] = problems.get(systemCode(error)) ?? [
      'invalid_request',
      'Expected a request of HTTP/1.1.',
    ];
    void end(socket, new Problem(code, { detail }));
  });
  server.on('connect', (_, socket) => {
    const allow = 'GET, HEAD, POST, PATCH, DELETE, OPTIONS';
    void end(socket, new Problem('method_not_allowed', { detail: 'This is no proxy.', headers: { allow } }));
  });
}

async function end(socket: Duplex, problem: Problem): Promise<void> {
  // A broken connection cannot carry an answer.
  if (!socket.writable) return void socket.destroy();
  socket.on('error', () => socket.destroy());
  socket.end(await asText(problem.toResponse()), () => socket.destroy());
}

async function asText(response: Response): Promise<string> {
  const body = await response.text();
  const headers = { ...Object.fromEntries(response.headers), 'content-length': Buffer.byteLength(body) };
  const fields = Object.entries({ ...headers, 'cache-control': 'no-store', connection: 'close' });
  const status = `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`;
  return [status, ...fields.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n');
}
