import { once } from 'node:events';
import { MongoClient } from 'mongodb';
import { createApp } from '../handlers/http/app.js';
import { alertsOf } from '../src/config.js';
import { ELECTION_MS } from '../src/mongo/election.js';
import { unlessAborted } from '../src/worker/unless-aborted.js';
import { consoleLogger as log } from './console-logger.js';
import { addDemoItem, demoJobs, endDemo, showDemo } from './demo.js';
import { endProcess } from './end-process.js';
import { startHttpServer } from './http-server.js';
import { factoriesOf, type JobCode } from './job-code.js';
import { startMetrics } from './metrics/start-metrics.js';
import { startEmbeddedMongo } from './mongo/index.js';
import { LocalProcessor } from './processor.js';
import type { LocalSettings } from './settings.js';
import { stopRequested } from './stop-requested.js';

export interface StartOptions {
  readonly settings: LocalSettings;
  readonly code: JobCode;
  /** Whether to run the jobs and the scheduler item of the demonstration. */
  readonly demo: boolean;
}

/**
 * Runs scheduler, worker, HTTP API and, without MONGODB_URI, a database in this process. Ends the process after Ctrl-C or
 * SIGTERM.
 *
 * @throws an Error if the database cannot be used or the port is in use. Its message says what to do
 */
export async function start({ settings, code, demo }: StartOptions): Promise<never> {
  const { config, apiKeys, sessionSecrets, allowedHosts, callbacks, host, port } = settings;
  const { CORS_ORIGINS: corsOrigins } = config;
  const mongo = config.MONGODB_URI === undefined ? await startEmbeddedMongo() : undefined;
  const client = new MongoClient(mongo?.uri ?? config.MONGODB_URI ?? '', {
    serverSelectionTimeoutMS: ELECTION_MS,
  });
  const db = client.db(config.MONGODB_DATABASE);
  const setUp = async (to: LocalProcessor) => {
    await to.ensureIndexes({ byQueue: config.INDEX_BY_QUEUE });
    await to.addJobFactories(factoriesOf(code, config));
    if (demo) await to.addJobFactories(demoJobs);
    if (code.schedules) await to.syncSchedulers(code.schedules);
  };
  const processor = new LocalProcessor({
    db,
    collectionPrefix: config.COLLECTION_PREFIX,
    callbacks,
    alerts: alertsOf(config),
    log,
    ...(config.MAX_THREADS !== undefined && { maxThreads: config.MAX_THREADS }),
    ...(config.QUEUES && { queues: config.QUEUES }),
    setUp: async (to) => {
      await setUp(to);
      if (demo) await addDemoItem(to);
    },
  });
  await processor.ensureIndexes({ byQueue: config.INDEX_BY_QUEUE }).catch(explainUnreachable);
  await setUp(processor); // Indexes that exist cost nothing.
  const isAlive = () => processor.stuckLoops().length === 0;
  const app = createApp({ processor, apiKeys, sessionSecrets, allowedHosts, corsOrigins, isAlive, log });
  const server = await startHttpServer(app, host, port).catch(explainPort);
  const metrics = await startMetrics(processor, db, config, log);
  const names = Object.keys(await processor.getJobFactories());
  // Before this line, a signal ends the process at once, even if the database does not answer. From here on, Ctrl-C
  // stops it in order.
  const stopping = stopRequested();
  greet(settings, server.url, mongo?.uri, names);

  processor.startProcessor();
  processor.startScheduler();
  // The demonstration uses the database, which may be gone.
  if (demo) await unlessAborted(stopping, showDemo(processor, stopping));
  if (!stopping.aborted) await once(stopping, 'abort');

  return endProcess(async () => {
    await Promise.all([server.stop(), metrics?.stop(), processor.stopProcessor(), processor.stopScheduler()]);
    if (demo) await endDemo(processor);
    await client.close();
    await mongo?.stop();
  }, log);
}

function explainUnreachable(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  const advice = 'Check the variable, or leave it out: then an embedded database is started.';
  throw new Error(`The database of MONGODB_URI cannot be used: ${reason.replace(/\.$/, '')}. ${advice}`, {
    cause: error,
  });
}

function explainPort(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new Error(`${reason} Choose another: PORT=3001 npm start`, { cause: error });
}

/** @param names the names of the job factories. The printed example adds a job of one of them */
function greet(
  { madeKey, config }: LocalSettings,
  url: string,
  embedded: string | undefined,
  names: readonly string[],
): void {
  const database =
    embedded === undefined ? 'MONGODB_URI' : `embedded, at ${embedded}: it keeps nothing when this stops`;
  const isEcho = names.includes('echo');
  const name = isEcho ? 'echo' : (names[0] ?? 'NAME');
  const input = isEcho ? '{ "hello": "me" }' : 'INPUT';
  // Double quotes let a shell insert the key that it has, so that the key appears on no screen and in no log.
  const authorization = madeKey
    ? `-H 'Authorization: Bearer ${madeKey}'`
    : '-H "Authorization: Bearer $API_KEY"';
  const form = `
  what INPUT may be, its schema tells:
  curl -s ${url}/v1/job-factories/${encodeURIComponent(name)} ${authorization}`;
  console.log(`
Remote Processor
  HTTP API  ${url}
  dashboard ${url}/ (sign in with the API key)
  API key   ${madeKey ?? 'that of API_KEY'}
  database  ${database} (${config.MONGODB_DATABASE})

Add a job of your own, and read its result by its id:
  curl -s ${url}/v1/jobs ${authorization} -H 'Content-Type: application/json' \\
    -d '{ "name": "${name}", "input": ${input} }'
  curl -s ${url}/v1/jobs/ID ${authorization}${isEcho ? '' : form}

Ctrl-C stops it.
`);
}
