import type { Environment } from '../../../src/config.js';
import type { Api } from '../api/api.js';
import { connectToDatabase } from '../api/in-process.js';
import { toFailure } from '../to-failure.js';
import { checkCollections } from './check-collections.js';
import { checkConfiguration } from './check-configuration.js';
import { checkIndexes } from './check-indexes.js';
import { checkMajority, checkServer } from './check-server.js';
import { checkVerdict } from './check-verdict.js';
import { type Finding, failure } from './finding.js';

/** Checks a deployment by its settings and its database. */
export async function examineDatabase(env: Environment, api: Api): Promise<readonly Finding[]> {
  const configuration = checkConfiguration(env);
  if (configuration.some(({ status }) => status === 'failure')) return configuration;
  try {
    const { db, collections } = await connectToDatabase(env);
    const [server, owner] = await Promise.all([checkServer(db), checkCollections(collections)]);
    // Further checks would read another program's data.
    if (owner.some(({ status }) => status === 'failure')) return [...configuration, ...server, ...owner];
    const checks = await Promise.all([
      checkMajority(collections.workers),
      checkIndexes(collections),
      checkVerdict(api),
    ]);
    return [...configuration, ...server, ...owner, ...checks.flat()];
  } catch (error) {
    const { message } = await toFailure(error);
    const fix = 'Check MONGODB_URI, the network, and whether the server accepts this address';
    return [...configuration, failure('database', message, fix)];
  }
}
