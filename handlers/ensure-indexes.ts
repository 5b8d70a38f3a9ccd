/**
 * What `npm run ensure-indexes` runs, once per deployment: makes the indexes that are missing, and says which.
 */
import type { Db, MongoClient } from 'mongodb';
import { readFunctionConfig } from '../src/config.js';
import { RemoteProcessor, silentLogger } from '../src/index.js';
import { patientClient } from '../src/mongo/client.js';
import { indexProgressText } from '../src/mongo/index-progress-text.js';

let client: MongoClient | undefined;
try {
  const config = readFunctionConfig(process.env);
  client = patientClient(config.MONGODB_URI);
  const db = client.db(config.MONGODB_DATABASE);
  const before = new Set(await indexNames(db));
  await new RemoteProcessor({
    db,
    collectionPrefix: config.COLLECTION_PREFIX,
    log: { ...silentLogger, warn: (message) => console.error(message) },
  }).ensureIndexes({
    byQueue: config.INDEX_BY_QUEUE,
    onProgress: (progress) => console.error(indexProgressText(progress)),
  });
  const made = (await indexNames(db)).filter((name) => !before.has(name));
  console.log(
    `Database '${db.databaseName}': made ${made.length} indexes${made.map((name) => `\n  ${name}`).join('')}`,
  );
} catch (error) {
  console.error(`The indexes were not made. ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await client?.close();
}

/** All indexes of the database, as `collection.index`. */
async function indexNames(db: Db): Promise<string[]> {
  const collections = await db.listCollections({}, { nameOnly: true }).toArray();
  const names = collections.map(async ({ name }) =>
    (await db.collection(name).indexes()).map((index) => `${name}.${index.name}`),
  );
  return (await Promise.all(names)).flat();
}
