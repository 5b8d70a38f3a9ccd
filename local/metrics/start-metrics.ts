import type { Db } from 'mongodb';
import type { Config } from '../../src/config.js';
import type { Logger } from '../../src/index.js';
import type { HttpServer } from '../http-server.js';
import type { LocalProcessor } from '../processor.js';

/**
 * Measures the processor and serves the metrics, if METRICS_PORT is set. Otherwise does not even load the library.
 *
 * @throws an Error that names METRICS_PORT if it cannot listen there
 */
export async function startMetrics(
  processor: LocalProcessor,
  db: Db,
  { METRICS_PORT: port, METRICS_HOST: host }: Config,
  log: Logger,
): Promise<HttpServer | undefined> {
  if (port === undefined) return undefined;
  const [{ ProcessMetrics }, { serveMetrics }] = await Promise.all([
    import('./process-metrics.js'),
    import('./serve-metrics.js'),
  ]);
  return serveMetrics(new ProcessMetrics(processor, db), { host, port }, log);
}
