import { MongoClient } from 'mongodb';
import { z } from 'zod';
import { LocalProcessor } from '../../../local/processor.js';
import { defineJob, type Logger } from '../../../src/index.js';
import { collectionNames } from '../../collection-names.js';
import { keyOf } from '../bench-limit.js';
import { type Contender, POLL_MS } from './contender.js';

/** The logger of production, but without a log line per job, which the others do not write either. */
const problemsOnly: Logger = { debug() {}, info() {}, warn: console.error, error: console.error };

/** This project as a LocalProcessor, whose loop calls `drain` as the worker function does. */
export const remoteProcessor: Contender = {
  title: 'Remote Processor',
  storage: { collection: collectionNames.jobs, input: 'input', due: 'runAt' },
  async open({ uri, database, concurrency, run, limit }) {
    const client = await new MongoClient(uri, { monitorCommands: true }).connect();
    const processor = new LocalProcessor({
      db: client.db(database),
      name: 'bench',
      maxThreads: concurrency,
      pollInterval: POLL_MS,
      log: problemsOnly,
    });
    const limits = Array.from({ length: limit?.limits ?? 0 }, (_, index) => ({
      name: `limit-${index}`,
      key: ({ n }: { readonly n: number }) => keyOf(n, { keys: limit?.keys ?? 1 }),
      limit: limit?.places ?? 1,
    }));
    const noop = defineJob({
      name: 'noop',
      input: z.object({ n: z.int() }),
      ...(limits.length > 0 && { concurrency: limits }),
      run: ({ input }) => run(input.n),
    });
    await processor.addJobFactory(noop);
    const addOne = async (n: number) => {
      await processor.addJob(noop, { n });
    };
    return {
      client,
      ensureIndexes: () => processor.ensureIndexes(),
      addOne,
      async addMany(first, count) {
        await processor.addJobs(
          Array.from({ length: count }, (_, index) => ({ name: noop.name, input: { n: first + index } })),
        );
      },
      async work() {
        processor.startProcessor();
        return () => processor.stopProcessor();
      },
      close: () => client.close(),
    };
  },
};
