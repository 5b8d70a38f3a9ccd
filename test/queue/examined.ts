import type { CommandStartedEvent, Db } from 'mongodb';
import { collectionNames } from '../collection-names.js';

/** Returns what each search among these commands examines now, with the command's name. */
export async function examined(db: Db, commands: readonly CommandStartedEvent[]) {
  const searches = commands.filter(
    ({ command }) => command.find === collectionNames.jobs || command.findAndModify === collectionNames.jobs,
  );
  return Promise.all(
    searches.map(async ({ commandName, command }) => {
      const {
        lsid: _,
        txnNumber: __,
        $clusterTime: ___,
        $db: ____,
        writeConcern: _____,
        ...search
      } = command;
      const { executionStats } = await db.command({ explain: search, verbosity: 'executionStats' });
      const { totalKeysExamined: keys, totalDocsExamined: documents } = executionStats;
      return { commandName, keys, documents };
    }),
  );
}
