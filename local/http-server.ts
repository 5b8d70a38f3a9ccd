import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { toProblem } from '../handlers/http/failure.js';
import { Problem } from '../handlers/http/problem.js';
import { answerClientErrors } from './client-errors.js';

/** The time to send a whole request, as at API Gateway. It is enough for 1 MB at 300 kbit/s. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * The time to keep an idle connection. Proxies and clients keep one for a shorter time, usually 60 s, and so close it
 * first. If the server closed it first, a client could not know whether a request sent at that moment was done.
 */
const KEEP_ALIVE_MS = 65_000;

/** The longest delay before a client that is too slow is noticed. */
const CHECK_INTERVAL_MS = 5_000;

/** The HTTP API on a port of this machine. */
export interface HttpServer {
  readonly url: string;
  /**
   * Stops taking requests, and resolves when the requests under way are answered. A GET that waits for a job is
   * answered at once. A request that waits for a silent database loses its connection after 5 s.
   */
  stop(): Promise<void>;
}

/**
 * Serves a web app. A client that sends an invalid request, or sends it too slowly, gets a problem document.
 *
 * @param port 0 for any free port
 * @param requestTimeoutMs time for a client to send a request, body included
 * @throws an Error if it cannot listen on the host and port
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
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, CHECK_INTERVAL_MS),
  };
  const server = createServer(timeouts, listener);
  answerClientErrors(server);
  server.on('request', (_, response) => {
    response.once('close', () => {
      if (stopping.signal.aborted) server.closeIdleConnections();
    });
  });
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

/** Answers a request that cannot be passed to the app: one without a host, or with a backslash in its path. */
function refuse(error: unknown): Response {
  const isNoRequest = error instanceof Error && error.name === 'RequestError';
  return isNoRequest ? noAddress(error.message) : toProblem(error).toResponse();
}

function noAddress(reason: string): Response {
  return new Problem('invalid_address', { detail: `${reason}.` }).toResponse();
}

/**
 * Returns the request with a signal that also fires when the server stops, so that a handler that waits answers at once.
 * Does so for GET only, because no other handler waits.
 */
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
