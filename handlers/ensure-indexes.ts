/** Makes missing indexes and prints their names. `npm run ensure-indexes` runs this, once per deployment. */
import { indexesDoneText } from '../src/collections/index-progress-text.js';
import { makeIndexes } from './make-indexes.js';
import { settingsOf } from './settings.js';

try {
  const config = await settingsOf({}, ['MONGODB_URI'])();
  const { database, ...done } = await makeIndexes(config, (line) => console.error(line));
  console.log(`Database '${database}': ${indexesDoneText(done)}`);
} catch (error) {
  console.error(`The indexes were not made. ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
