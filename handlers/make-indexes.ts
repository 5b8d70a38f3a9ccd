import type { Db } from 'mongodb';
import type { FunctionConfig } from '../src/config.js';
import { RemoteProcessor, silentLogger } from '../src/index.js';
import { patientClient } from '../src/mongo/client.js';
import { indexProgressText } from '../src/mongo/index-progress-text.js';

/** The indexes that were missing. */
export interface IndexesMade {
  readonly database: string;
  /** As `collection.index`. */
  readonly made: readonly string[];
}

/**
 * Makes the indexes that are missing.
 *
 * @param tell gets a line for each step, and for each warning
 * @throws what `RemoteProcessor.ensureIndexes` throws
 */
export async function makeIndexes(
  config: FunctionConfig,
  tell: (progress: string) => void,
): Promise<IndexesMade> {
  const client = patientClient(config.MONGODB_URI);
  try {
    const db = client.db(config.MONGODB_DATABASE);
    const before = new Set(await indexNames(db));
    await new RemoteProcessor({
      db,
      collectionPrefix: config.COLLECTION_PREFIX,
      log: { ...silentLogger, warn: tell },
    }).ensureIndexes({
      byQueue: config.INDEX_BY_QUEUE,
      onProgress: (progress) => tell(indexProgressText(progress)),
    });
    return { database: db.databaseName, made: (await indexNames(db)).filter((name) => !before.has(name)) };
  } finally {
    await client.close();
  }
}

/** All indexes of the database, as `collection.index`. */
async function indexNames(db: Db): Promise<string[]> {
  const collections = await db.listCollections({}, { nameOnly: true }).toArray();
  const names = collections.map(async ({ name }) =>
    (await db.collection(name).indexes()).map((index) => `${name}.${index.name}`),
  );
  return (await Promise.all(names)).flat();
}
