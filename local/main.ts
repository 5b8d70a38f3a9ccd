/** What `npm start` runs: scheduler, worker, HTTP API and, when there is no MONGODB_URI, a database. */
import { once } from 'node:events';
import { MongoClient } from 'mongodb';
import { createApp } from '../handlers/http/app.js';
import { jobs } from '../handlers/jobs.js';
import { schedules } from '../handlers/schedules.js';
import { ValidationError } from '../src/index.js';
import { consoleLogger as log } from './console-logger.js';
import { demoJobs, endDemo, showDemo } from './demo.js';
import { startHttpServer } from './http-server.js';
import { startEmbeddedMongo } from './mongo/index.js';
import { LocalProcessor } from './processor.js';
import { help, type LocalSettings, readLocalSettings } from './settings.js';

try {
  const settings = readLocalSettings(process.env, process.argv.slice(2));
  if (settings === 'help') console.log(help);
  else await run(settings);
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}

async function run(settings: LocalSettings): Promise<void> {
  const { config, apiKeys, sessionSecrets, host, port } = settings;
  const mongo = config.MONGODB_URI === undefined ? await startEmbeddedMongo() : undefined;
  const client = new MongoClient(mongo?.uri ?? config.MONGODB_URI ?? '', { serverSelectionTimeoutMS: 5000 });
  const db = client.db(config.MONGODB_DATABASE);
  const processor = new LocalProcessor({
    db,
    log,
    ...(config.MAX_THREADS !== undefined && { maxThreads: config.MAX_THREADS }),
    ...(config.QUEUES && { queues: config.QUEUES }),
  });
  await processor.ensureIndexes().catch(explainUnreachable);
  await processor.addJobFactories([...jobs(config), ...(settings.demo ? demoJobs : [])]);
  await processor.syncSchedulers(schedules);
  const app = createApp({ db, processor, apiKeys, sessionSecrets, log, kick: async () => {} });
  const server = await startHttpServer(app, host, port);
  greet(settings, server.url, mongo?.uri);

  processor.startProcessor();
  processor.startScheduler();
  const stopping = stopRequested();
  if (settings.demo) await showDemo(processor, stopping);
  if (!stopping.aborted) await once(stopping, 'abort');

  log.info('Stopping: what runs is told to end, and given back if it does not');
  await Promise.all([server.stop(), processor.stopScheduler()]);
  if (settings.demo) await endDemo(processor);
  await processor.stopProcessor();
  await client.close();
  await mongo?.stop();
  log.info('Stopped: nothing is left in processing');
  process.exit(); // A job that heeds no signal would keep the process alive.
}

function explainUnreachable(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new Error(`The database of MONGODB_URI cannot be used: ${reason}
Check the variable, or leave it out: then an embedded database is started.`);
}

/** One line for each thing that is wrong. */
function explain(error: unknown): string {
  if (!(error instanceof ValidationError)) return error instanceof Error ? error.message : String(error);
  const lines = error.issues.map(({ path, message }) => `  ${path}: ${message}`);
  return [`${error.subject} is invalid:`, ...lines].join('\n');
}

function greet({ apiKey, config }: LocalSettings, url: string, embedded: string | undefined): void {
  const database =
    embedded === undefined ? 'MONGODB_URI' : `embedded, at ${embedded}: it keeps nothing when this stops`;
  console.log(`
Remote Processor
  HTTP API  ${url}
  dashboard ${url}/ (sign in with the API key)
  API key   ${apiKey}
  database  ${database} (${config.MONGODB_DATABASE})

Add a job of your own, and read its result by its id:
  curl -s ${url}/v1/jobs -H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json' \\
    -d '{ "name": "echo", "input": { "hello": "me" } }'
  curl -s ${url}/v1/jobs/ID -H 'Authorization: Bearer ${apiKey}'

Ctrl-C stops it.
`);
}

/** Fires at Ctrl-C or SIGTERM. At the second the process ends at once; its jobs are recovered by their leases. */
function stopRequested(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return controller.signal;
}
