/** The app in production: Lambda functions run its jobs. */
import { MongoClient } from 'mongodb';
import { RemoteProcessor } from 'remote-processor';
import { createKick } from 'remote-processor/lambda';
import { createApp } from './app.js';
import { confirmOrder } from './jobs.js';

const { MONGODB_URI = '', MONGODB_DATABASE, WORKER_FUNCTION_NAME, PORT = '3000' } = process.env;

const client = new MongoClient(MONGODB_URI);
const processor = new RemoteProcessor({
  db: client.db(MONGODB_DATABASE),
  jobs: { confirmOrder }, // which inputs they take: known even before the first worker starts
  // With a kick the worker starts at once; without it, within a minute.
  ...(WORKER_FUNCTION_NAME && { kick: createKick({ functionName: WORKER_FUNCTION_NAME }) }),
});
const server = createApp(processor).listen(Number(PORT), () => console.log('Listening', server.address()));
process.once('SIGTERM', () => server.close(() => client.close()));
