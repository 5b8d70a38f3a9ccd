import fc from 'fast-check';
import { test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { anyCommands } from './commands.js';
import { JobModel } from './job-model.js';
import { makeReal } from './real.js';

const database = useDatabase();

/** Other commands in each run of the suite; CI runs more. */
const RUNS = Number(process.env.MODEL_RUNS ?? 6);

test('whatever is done to jobs, in whatever order, they are as the model says', async () => {
  const property = fc.asyncProperty(anyCommands, async (commands) => {
    await database.db.collection(collectionNames.jobs).deleteMany({});
    const real = await makeReal(database.db, database.processor({ maxThreads: 1 }));
    await fc.asyncModelRun(() => ({ model: new JobModel(), real }), commands);
  });
  await fc.assert(property, { numRuns: RUNS });
});
