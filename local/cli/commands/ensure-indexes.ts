import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';

/** `ensure-indexes` makes the missing indexes, as part of a deployment. */
export const ensureIndexesCommand: AddCommand = (parent, { env, output, url }) => {
  parent
    .command('ensure-indexes')
    .description('Make missing indexes in the database of MONGODB_URI. Run it once per deployment.')
    .addHelpText('after', examples('ensure-indexes'))
    .action(async () => {
      if (url() !== undefined)
        throw new CommandFailure(
          exitCode.usage,
          'Indexes are made in the database: set MONGODB_URI, and leave out --url',
          {
            code: 'wrong_usage',
          },
        );
      const { connectToDatabase } = await import('../api/in-process.js');
      const { makeIndexes } = await import('../../../handlers/make-indexes.js');
      const { closeMongoClients } = await import('../../../src/mongo/client.js');
      const { indexesDoneText } = await import('../../../src/collections/index-progress-text.js');
      const { config } = await connectToDatabase(env);
      try {
        const { made, dropped } = await makeIndexes(config, (line) => output.note(line));
        const isDone = made.length + dropped.length === 0;
        if (output.isJson) output.json({ made, dropped });
        else output.print(isDone ? 'All indexes are there.' : indexesDoneText({ made, dropped }));
      } finally {
        await closeMongoClients();
      }
    });
};
