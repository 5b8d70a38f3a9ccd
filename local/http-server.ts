import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { toProblem } from '../handlers/http/failure.js';
import { Problem } from '../handlers/http/problem.js';
import { answerClientErrors } from './client-errors.js';

/** As long as API Gateway gives a request in all: 1 MB takes longer only by less than 300 kbit/s. */
const REQUEST_TIMEOUT_MS = 30_000;

/** How late a client that is too slow may be noticed. */
const CHECK_INTERVAL_MS = 5_000;

/** The HTTP API on a port of this machine. */
export interface HttpServer {
  readonly url: string;
  /**
   * Takes no more requests, and resolves when those under way are answered: those that wait for something, at once, and
   * those that wait for a database which does not answer, by a broken connection after 5 s.
   */
  stop(): Promise<void>;
}

/**
 * Serves a web app. A client that is too slow in sending its request is answered by a problem document, as is one that
 * sends no request at all.
 *
 * @param port 0 for any that is free
 * @param requestTimeoutMs so long may a client take to send a request, body included
 * @throws an Error when it cannot listen there
 */
export async function startHttpServer(
  app: Hono,
  host: string,
  port: number,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
): Promise<HttpServer> {
  const stopping = new AbortController();
  const listener = getRequestListener(
    (request, environment) =>
      URL.canParse(request.url)
        ? app.fetch(endingAt(stopping.signal, request), environment)
        : noAddress('Invalid host header'),
    { errorHandler: refuse },
  );
  const timeouts = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, CHECK_INTERVAL_MS),
  };
  const server = createServer(timeouts, listener);
  answerClientErrors(server);
  const listening = once(server, 'listening');
  server.listen(port, host);
  await listening.catch((error: unknown) => {
    throw new Error(`Cannot listen on ${host}:${port}. Is it in use?`, { cause: error });
  });
  return {
    url: urlOf(server),
    stop: () => {
      stopping.abort();
      return close(server);
    },
  };
}

/** Answers what is no request that an app could be asked: one with no host, or a backslash in its path. */
function refuse(error: unknown): Response {
  const isNoRequest = error instanceof Error && error.name === 'RequestError';
  return isNoRequest ? noAddress(error.message) : toProblem(error).toResponse();
}

function noAddress(reason: string): Response {
  return new Problem('invalid_address', { detail: `${reason}.` }).toResponse();
}

/** A request whose signal fires at the stop too: what waits on a client's behalf then answers. Only reading waits. */
function endingAt(stop: AbortSignal, request: Request): Request {
  if (request.method !== 'GET') return request;
  return new Request(request, { signal: AbortSignal.any([request.signal, stop]) });
}

function urlOf(server: Server): string {
  const address: string | AddressInfo | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

const MAX_WAIT_MS = 5_000;

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  const patience = setTimeout(() => server.closeAllConnections(), MAX_WAIT_MS);
  server.close();
  server.closeIdleConnections();
  await closed;
  clearTimeout(patience);
}
