import { IndexesDone, indexProgressText } from '../src/collections/index-progress-text.js';
import type { FunctionConfig } from '../src/config.js';
import { RemoteProcessor, silentLogger } from '../src/index.js';
import { patientClient } from '../src/mongo/client.js';

/** The indexes that were made and dropped. */
export interface IndexesMade {
  readonly database: string;
  /** Names of indexes, as `collection.index`. */
  readonly made: readonly string[];
  readonly dropped: readonly string[];
}

/**
 * Makes missing indexes, and drops indexes of earlier versions.
 *
 * @param tell called with a line for each step and each warning
 * @throws errors of `RemoteProcessor.ensureIndexes`
 */
export async function makeIndexes(
  config: Pick<FunctionConfig, 'MONGODB_URI' | 'MONGODB_DATABASE' | 'COLLECTION_PREFIX' | 'INDEX_BY_QUEUE'>,
  tell: (progress: string) => void,
): Promise<IndexesMade> {
  const client = patientClient(config.MONGODB_URI);
  try {
    const db = client.db(config.MONGODB_DATABASE);
    const done = new IndexesDone();
    await new RemoteProcessor({
      db,
      collectionPrefix: config.COLLECTION_PREFIX,
      log: { ...silentLogger, warn: tell },
    }).ensureIndexes({
      byQueue: config.INDEX_BY_QUEUE,
      onProgress: (progress) => {
        done.add(progress);
        tell(indexProgressText(progress));
      },
    });
    const { made, dropped } = done;
    return { database: db.databaseName, made, dropped };
  } finally {
    await client.close();
  }
}
