/** The program of `npm run offline`. Runs the functions in serverless-offline and, without MONGODB_URI, a database. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { MongoClient } from 'mongodb';
import { type Config, type Environment, readConfig } from '../src/config.js';
import { RemoteProcessor } from '../src/index.js';
import { ELECTION_MS } from '../src/mongo/election.js';
import { entryOf, makeKey } from './api-key.js';
import { startEmbeddedMongo } from './mongo/index.js';

const help = `Usage: npm run offline -- [options of serverless offline]

Runs the functions as they would be deployed, in Lambda's and API Gateway's place serverless-offline.
Without the ticks of the minute, by kicks alone: npm run offline -- --param schedules=false

Environment:
  PORT            of the HTTP API (default 3000)
  LAMBDA_PORT     on which the functions invoke each other (default 3002)
  API_KEYS        id:role:sha256 entries; without it a key is made and printed
  SESSION_SECRETS sign the sessions of the dashboard; without it sessions end when this stops
  MONGODB_URI     a replica set; an embedded database that keeps nothing is started when it is not set
  MONGODB_DATABASE, COLLECTION_PREFIX, MAX_THREADS, QUEUES, ALLOWED_HOSTS, CORS_ORIGINS, CALLBACK_URL, CALLBACK_SECRETS, LOG_LEVEL, WEBHOOK_SECRET, WEBHOOK_SECRETS, WEBHOOK_ALLOW_PRIVATE_ADDRESSES, ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET, ALERT_WEBHOOK_FORMAT: see docs/configuration.md
`;

/**
 * Credentials of no account. The SDK signs every request, and must not sign a request to this machine with real
 * credentials.
 */
const noAccount = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', AWS_SESSION_TOKEN: 'local' };

try {
  if (process.argv.includes('--help')) console.log(help);
  else await run(process.env, process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function run(env: Environment, args: readonly string[]): Promise<void> {
  const config = readConfig(env);
  const { PORT = '3000', LAMBDA_PORT = '3002' } = env;
  const mongo = config.MONGODB_URI === undefined ? await startEmbeddedMongo() : undefined;
  try {
    const uri = mongo?.uri ?? config.MONGODB_URI ?? '';
    await makeIndexes(uri, config);
    const functions = startFunctions(['--httpPort', PORT, '--lambdaPort', LAMBDA_PORT, ...args], {
      ...env,
      ...noAccount,
      OFFLINE_MONGODB_URI: uri,
      OFFLINE_API_KEYS: env.API_KEYS || showNewKey(PORT),
      OFFLINE_SESSION_SECRETS: env.SESSION_SECRETS || randomBytes(32).toString('base64url'),
      OFFLINE_ALLOWED_HOSTS: env.ALLOWED_HOSTS || 'localhost',
      OFFLINE_CALLBACK_SECRETS: env.CALLBACK_SECRETS || randomBytes(32).toString('base64url'),
      CALLBACK_URL: env.CALLBACK_URL || `http://127.0.0.1:${PORT}`,
      OFFLINE_WEBHOOK_SECRET: env.WEBHOOK_SECRET,
      OFFLINE_WEBHOOK_SECRETS: env.WEBHOOK_SECRETS,
      OFFLINE_ALERT_WEBHOOK_URL: env.ALERT_WEBHOOK_URL,
      OFFLINE_ALERT_WEBHOOK_SECRET: env.ALERT_WEBHOOK_SECRET,
      OFFLINE_LAMBDA_ENDPOINT: `http://127.0.0.1:${LAMBDA_PORT}`,
    });
    process.exitCode = await endOf(functions);
  } finally {
    await mongo?.stop();
  }
}

async function makeIndexes(uri: string, config: Config): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: ELECTION_MS });
  try {
    const db = client.db(config.MONGODB_DATABASE);
    await new RemoteProcessor({ db, collectionPrefix: config.COLLECTION_PREFIX }).ensureIndexes();
  } finally {
    await client.close();
  }
}

/** Makes a key for this run, prints it, and returns its entry for API_KEYS. */
function showNewKey(port: string): string {
  const key = makeKey();
  console.log(`
API key ${key}
The dashboard, to sign in with it: http://127.0.0.1:${port}/

  curl -s http://127.0.0.1:${port}/v1/jobs -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\
    -d '{ "name": "echo", "input": { "hello": "me" } }'
`);
  return entryOf(key, 'local', 'admin');
}

function startFunctions(args: readonly string[], env: Environment): ChildProcess {
  const command = createRequire(import.meta.url).resolve('serverless/bin/serverless.js');
  const options = ['offline', '--stage', 'local', '--host', '127.0.0.1', ...args];
  return spawn(process.execPath, [command, ...options], { env: { ...env }, stdio: 'inherit' });
}

/** Resolves with the exit code. Ctrl-C reaches both processes, and a SIGTERM to this one is passed on. */
async function endOf(functions: ChildProcess): Promise<number> {
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => functions.kill('SIGINT'));
  const [code] = await once(functions, 'exit');
  return typeof code === 'number' ? code : 1;
}
