import { z } from 'zod';
import { keyOf } from '../bench-limit.js';
import { type Participant, POLL_MS } from './contender.js';
import { loadPeer } from './load-peer.js';

/** The part of Graphile Worker that is used. Its own types exist only once the benchmark has installed it. */
interface WorkerUtils {
  migrate(): Promise<void>;
  addJob(name: string, payload: Payload): Promise<unknown>;
  addJobs(jobs: readonly JobSpec[]): Promise<unknown>;
  release(): Promise<void>;
}

interface Payload {
  readonly n: number;
}

interface JobSpec {
  readonly identifier: string;
  readonly payload: Payload;
  readonly queueName?: string;
}

interface Options {
  readonly connectionString: string;
  readonly schema: string;
  readonly logger: object;
}

interface RunOptions extends Options {
  readonly concurrency: number;
  readonly pollInterval: number;
  readonly noHandleSignals: boolean;
  readonly taskList: Readonly<Record<string, (payload: Payload) => Promise<unknown>>>;
  readonly preset: { readonly worker: Readonly<Record<string, unknown>> };
}

const workerModule = z.object({
  Logger: z.custom<new (make: () => () => void) => object>(isFunction),
  makeWorkerUtils: z.custom<(options: Options) => Promise<WorkerUtils>>(isFunction),
  run: z.custom<(options: RunOptions) => Promise<{ stop(): Promise<void> }>>(isFunction),
});

/** The settings of its own benchmarks, which fetch and complete jobs by the hundred. */
const FAST = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

/**
 * Graphile Worker with its local queue, on PostgreSQL. It runs the jobs of a named queue one at a time, and has no larger limits. It
 * keeps no result of a job. The `database` is used as a schema.
 */
export const graphileWorker: Participant = {
  title: 'Graphile Worker',
  async open({ uri: connectionString, database: schema, concurrency, run, limit }) {
    const { Logger, makeWorkerUtils, run: runWorker } = workerModule.parse(await loadPeer('graphile-worker'));
    const options = { connectionString, schema, logger: new Logger(() => () => {}) };
    const utils = await makeWorkerUtils(options);
    await utils.migrate();
    return {
      ensureIndexes: () => utils.migrate(),
      async addOne(n) {
        await utils.addJob('noop', { n });
      },
      async addMany(first, count) {
        await utils.addJobs(
          Array.from({ length: count }, (_, index) => ({
            identifier: 'noop',
            payload: { n: first + index },
            ...(limit && { queueName: keyOf(first + index, limit) }),
          })),
        );
      },
      async work() {
        const worker = await runWorker({
          ...options,
          concurrency,
          pollInterval: POLL_MS,
          noHandleSignals: true,
          taskList: { noop: ({ n }) => run(n) },
          // With a local queue, a job waits there for its named queue.
          preset: { worker: limit ? {} : FAST },
        });
        return () => worker.stop();
      },
      close: () => utils.release(),
    };
  },
};

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
