import { Hono } from 'hono';
import type { Logger } from '../../../src/log.js';
import { type HttpServer, startHttpServer } from '../../http-server.js';
import type { LocalProcessor } from '../../processor.js';

/** All addresses, because probes come from outside the container. */
const EVERY_ADDRESS = '0.0.0.0';

/**
 * Serves GET /health: 200 while the loop runs and the database answers, otherwise 503. Reveals only the status and the
 * running loops.
 *
 * @throws an Error that names --health-port if the port cannot be used
 */
export async function serveHealth(processor: LocalProcessor, port: number, log: Logger): Promise<HttpServer> {
  const app = new Hono().get('/health', async (context) => {
    if (processor.loops().length === 0) return context.json({ status: 'not running' }, 503);
    try {
      await processor.getJob('health'); // Reads one document, or none.
      return context.json({ status: 'ok', loops: processor.loops() });
    } catch (error) {
      log.error('The database does not answer', { error: String(error) });
      return context.json({ status: 'unreachable' }, 503);
    }
  });
  const server = await startHttpServer(app, EVERY_ADDRESS, port).catch(explainPort);
  log.info('Serving GET /health', { url: server.url });
  return server;
}

function explainPort(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new Error(`${reason} Choose another by --health-port`, { cause: error });
}
