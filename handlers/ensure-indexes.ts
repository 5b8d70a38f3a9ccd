/**
 * What `npm run ensure-indexes` runs, once per deployment: makes the indexes that are missing, and says which.
 */
import { readFunctionConfig } from '../src/config.js';
import { indexesDoneText } from '../src/mongo/index-progress-text.js';
import { makeIndexes } from './make-indexes.js';

try {
  const { database, ...done } = await makeIndexes(readFunctionConfig(process.env), (line) =>
    console.error(line),
  );
  console.log(`Database '${database}': ${indexesDoneText(done)}`);
} catch (error) {
  console.error(`The indexes were not made. ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
