import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';

/** `ensure-indexes`: part of a deployment. */
export const ensureIndexesCommand: AddCommand = (parent, { env, output, url }) => {
  parent
    .command('ensure-indexes')
    .description('Make the indexes that are missing in the database of MONGODB_URI: once per deployment.')
    .addHelpText('after', examples('ensure-indexes'))
    .action(async () => {
      if (url() !== undefined)
        throw new CommandFailure(
          exitCode.usage,
          'Indexes are made in the database: set MONGODB_URI, without --url',
          {
            code: 'wrong_usage',
          },
        );
      const { connectToDatabase } = await import('../api/in-process.js');
      const { closeMongoClients, patientClient } = await import('../../../src/mongo/client.js');
      const { indexProgressText } = await import('../../../src/mongo/index-progress-text.js');
      const { RemoteProcessor, silentLogger } = await import('../../../src/index.js');
      const { findWrongIndexes } = await import('../../../src/mongo/find-wrong-indexes.js');
      const { db: found, collections, config } = await connectToDatabase(env);
      const patient = patientClient(config.MONGODB_URI ?? '');
      const db = patient.db(found.databaseName);
      try {
        const { missing } = await findWrongIndexes(collections);
        await new RemoteProcessor({
          db,
          collectionPrefix: config.COLLECTION_PREFIX,
          log: { ...silentLogger, warn: (message) => output.note(message) },
        }).ensureIndexes({
          byQueue: config.INDEX_BY_QUEUE,
          onProgress: (progress) => output.note(indexProgressText(progress)),
        });
        if (output.isJson) output.json({ made: missing });
        else
          output.print(
            missing.length === 0
              ? 'All indexes are there.'
              : missing.map((name) => `made ${name}`).join('\n'),
          );
      } finally {
        await Promise.all([patient.close(), closeMongoClients()]);
      }
    });
};
