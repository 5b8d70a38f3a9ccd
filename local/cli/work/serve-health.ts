import { Hono } from 'hono';
import { readinessOf } from '../../../handlers/http/readiness.js';
import { isKind } from '../../../src/brand.js';
import type { Duration } from '../../../src/index.js';
import { IndexMissingError, type Logger } from '../../../src/index.js';
import { type HttpServer, startHttpServer } from '../../http-server.js';
import type { LocalProcessor } from '../../processor.js';

/** All addresses, because probes come from outside the container. */
const EVERY_ADDRESS = '0.0.0.0';

/**
 * Serves two paths, which reveal only the status and the names of loops. `GET /health` answers 200 if the loop runs and
 * the database answers and has its indexes, otherwise 503. `GET /health/live` answers 200 unless the loop is stuck,
 * whatever the state of the database.
 *
 * @param stuckAfter see `LocalProcessor.stuckLoops`
 * @throws an Error that names --health-port if the port cannot be used
 */
export async function serveHealth(
  processor: LocalProcessor,
  port: number,
  log: Logger,
  stuckAfter?: Duration,
): Promise<HttpServer> {
  const requireReadiness = readinessOf(processor);
  const app = new Hono()
    .get('/health', async (context) => {
      if (processor.loops().length === 0) return context.json({ status: 'not running' }, 503);
      try {
        await requireReadiness();
        return context.json({ status: 'ok', loops: processor.loops() });
      } catch (error) {
        log.error('Not ready', { error: String(error) });
        return context.json(
          { status: isKind(error, IndexMissingError) ? 'index missing' : 'unreachable' },
          503,
        );
      }
    })
    .get('/health/live', (context) => {
      const stuck = processor.stuckLoops(stuckAfter);
      if (stuck.length > 0) return context.json({ status: 'stuck', loops: stuck }, 503);
      return context.json({ status: 'ok' });
    });
  const server = await startHttpServer(app, EVERY_ADDRESS, port).catch(explainPort);
  log.info('Serving GET /health and /health/live', { url: server.url });
  return server;
}

function explainPort(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new Error(`${reason} Choose another by --health-port`, { cause: error });
}
