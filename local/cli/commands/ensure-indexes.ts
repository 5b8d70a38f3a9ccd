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
      const { IndexesDone, indexesDoneText, indexProgressText } = await import(
        '../../../src/mongo/index-progress-text.js'
      );
      const { RemoteProcessor, silentLogger } = await import('../../../src/index.js');
      const { db: found, config } = await connectToDatabase(env);
      const patient = patientClient(config.MONGODB_URI ?? '');
      const db = patient.db(found.databaseName);
      try {
        const done = new IndexesDone();
        await new RemoteProcessor({
          db,
          collectionPrefix: config.COLLECTION_PREFIX,
          log: { ...silentLogger, warn: (message) => output.note(message) },
        }).ensureIndexes({
          byQueue: config.INDEX_BY_QUEUE,
          onProgress: (progress) => {
            done.add(progress);
            output.note(indexProgressText(progress));
          },
        });
        const { made, dropped } = done;
        if (output.isJson) output.json({ made, dropped });
        else
          output.print(made.length + dropped.length === 0 ? 'All indexes are there.' : indexesDoneText(done));
      } finally {
        await Promise.all([patient.close(), closeMongoClients()]);
      }
    });
};
