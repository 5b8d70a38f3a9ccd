import { z } from 'zod';
import { addOneByOne, type Contender, type Monitored, POLL_MS } from './contender.js';
import { loadPeer } from './load-peer.js';

/** The parts of mongo-jobs and Mongoose that are used. Their own types exist only once the benchmark has installed them. */
interface BackgroundJobs {
  register(handler: Handler, group: string): void;
  enqueue(name: string, data: { readonly n: number }): Promise<unknown>;
  start(groups: readonly string[], options: Readonly<Record<string, unknown>>): Promise<void>;
  stop(waitMs: number): Promise<void>;
}

interface Handler {
  readonly name: string;
  perform(data: { readonly n: number }): Promise<unknown>;
}

interface Connection {
  asPromise(): Promise<unknown>;
  getClient(): Monitored;
  model(name: string): { createIndexes(): Promise<unknown> };
  close(): Promise<void>;
}

interface BackgroundJobsOptions {
  readonly dbConnection: Connection;
  readonly metricsReporter: object;
}

const mongoJobsModule = z.object({
  BackgroundJobs: z.custom<new (options: BackgroundJobsOptions) => BackgroundJobs>(isFunction),
});

interface Mongoose {
  createConnection(uri: string, options: Readonly<Record<string, unknown>>): Connection;
}

const mongooseModule = z.object({ default: z.custom<Mongoose>((value) => value instanceof Object) });

/** The time that running jobs have to end when a worker stops. The jobs do nothing. */
const STOP_MS = 2000;

const GROUP = 'bench';

/** Keeps mongo-jobs from sending metrics to a StatsD server, as it does by default. */
const noMetrics = { gauge() {}, increment() {}, timing() {} };

/** mongo-jobs of Clipboard Health. */
export const mongoJobs: Contender = {
  title: 'mongo-jobs',
  storage: { collection: 'backgroundjobs', input: 'data', due: 'nextRunAt' },
  async open({ uri, database, concurrency, run, wakeUp }) {
    const { BackgroundJobs } = mongoJobsModule.parse(await loadPeer('@clipboard-health/mongo-jobs'));
    const { default: mongoose } = mongooseModule.parse(await loadPeer('mongoose'));
    const options = { dbName: database, monitorCommands: true, autoIndex: false, autoCreate: false };
    const connection = mongoose.createConnection(uri, options);
    await connection.asPromise();
    const queue = new BackgroundJobs({ dbConnection: connection, metricsReporter: noMetrics });
    queue.register({ name: 'noop', perform: ({ n }) => run(n) }, GROUP);
    const addOne = async (n: number) => {
      await queue.enqueue('noop', { n });
    };
    return {
      client: connection.getClient(),
      async ensureIndexes() {
        await connection.model('BackgroundJob').createIndexes();
      },
      addOne,
      addMany: (first, count) => addOneByOne({ addOne }, first, count),
      async work() {
        await queue.start([GROUP], {
          maxConcurrency: concurrency,
          newJobCheckWaitMS: POLL_MS,
          // Without a change stream, only this lets the worker notice that an empty queue has jobs again.
          refreshQueuesIntervalMS: POLL_MS,
          useChangeStream: wakeUp === 'change stream',
        });
        return () => queue.stop(STOP_MS);
      },
      close: () => connection.close(),
    };
  },
};

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
