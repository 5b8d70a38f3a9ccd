import { isIPv6 } from 'node:net';
import { Hono } from 'hono';
import { answerFailure } from '../../handlers/http/failure.js';
import { requireKnownHost } from '../../handlers/http/known-host.js';
import { isLoopback } from '../../handlers/http/loopback.js';
import type { Logger } from '../../src/index.js';
import { type HttpServer, startHttpServer } from '../http-server.js';
import type { ProcessMetrics } from './process-metrics.js';

/** Address at which to serve metrics. */
export interface MetricsAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/**
 * Serves `GET /metrics` to everyone who reaches the address. On a loopback address, it answers only requests to a
 * loopback name, so that a web page open in a browser of this machine cannot read the metrics.
 *
 * @throws an Error that names METRICS_PORT if it cannot listen there
 */
export async function serveMetrics(
  metrics: ProcessMetrics,
  { host, port }: MetricsAddress,
  log: Logger,
): Promise<HttpServer> {
  const app = new Hono().onError(answerFailure(log));
  if (isLoopback(isIPv6(host) ? `[${host}]` : host)) app.use(requireKnownHost([], []));
  app.get('/metrics', async (context) => {
    return context.body(await metrics.text(), 200, { 'content-type': metrics.contentType });
  });
  const server = await startHttpServer(app, host, port).catch(explainAddress);
  log.info('Serving GET /metrics', { url: server.url });
  return server;
}

function explainAddress(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new Error(`${reason} Choose another by METRICS_PORT or METRICS_HOST`, { cause: error });
}
