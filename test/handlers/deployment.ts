import { createHash } from 'node:crypto';
import { afterAll } from 'vitest';
import type { HandlerOptions } from '../../handlers/lambda.js';
import type { JobFactory } from '../../src/index.js';
import { closeMongoClients } from '../../src/mongo/client.js';
import { silent, type TestDatabase } from '../database.js';
import type { LambdaService } from './lambda-service.js';

/** Returns the handlers' options for a test: this database, this Lambda service, and a writer's key `the-key`. */
export function deploymentOf(
  { uri, name }: TestDatabase,
  { url: endpoint }: LambdaService,
  jobs: readonly JobFactory[],
  env: Record<string, string> = {},
): HandlerOptions {
  const digest = createHash('sha256').update('the-key').digest('hex');
  return {
    jobs,
    log: silent,
    publishMetrics: () => {},
    env: {
      MONGODB_URI: uri,
      MONGODB_DATABASE: name,
      API_KEYS: `tester:write:${digest}`,
      WORKER_FUNCTION_NAME: 'the-worker',
      LAMBDA_ENDPOINT: endpoint,
      ...env,
    },
  };
}

/** Closes the connections that handlers leave open, as on Lambda. Call it at the top of a test file that runs handlers. */
export function closeConnectionsAfterwards(): void {
  afterAll(closeMongoClients);
}
