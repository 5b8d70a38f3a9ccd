/** The app in its own process: `app-process.ts URI DATABASE KEY`. Prints its address, and serves until it is killed. */
import { createHash } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { createApp } from '../../../handlers/http/app.js';
import { startHttpServer } from '../../../local/http-server.js';
import { RemoteProcessor } from '../../../src/index.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const [uri = '', database = '', key = ''] = process.argv.slice(2);
const client = await new MongoClient(uri).connect();
const db = client.db(database);
const processor = new RemoteProcessor({ db, log: silent });
const digest = createHash('sha256').update(key).digest();
const app = createApp({
  processor,
  apiKeys: [{ id: 'reader', role: 'admin', digest }],
  sessionSecrets: ['a-secret-for-the-tests-of-sessions-1'],
  log: silent,
});
const { url } = await startHttpServer(app, '127.0.0.1', 0);
process.stdout.write(`${url}\n`);
