import { type Environment, type FunctionConfig, readFunctionConfig } from '../src/config.js';
import { type JobFactory, jsonLogger, type Logger, RemoteProcessor } from '../src/index.js';
import { atLevel } from '../src/log-level.js';
import { mongoClient } from '../src/mongo/client.js';
import { type AskForWorkers, createKick } from './kick.js';
import { livingConnections } from './living-connections.js';
import type { PublishMetrics } from './metrics.js';
import { once } from './once.js';

/** The kinds of jobs of a deployment: a list, or by name. */
export type JobFactories = readonly JobFactory[] | Readonly<Record<string, JobFactory>>;

/** What the handlers are made with. */
export interface HandlerOptions {
  /** The kinds of jobs; as a function, they can depend on the settings. */
  readonly jobs: JobFactories | ((config: FunctionConfig) => JobFactories);
  /**
   * Of the processor; default `'root'`. Two deployments on one database that both declare schedules need two names: each
   * deactivates what it declares no more.
   */
  readonly name?: string;
  /** Default: `process.env`, read at the first invocation. */
  readonly env?: Environment;
  /** Default: JSON lines on standard output. */
  readonly log?: Logger;
  /**
   * Of each invocation of the scheduler and the worker, and of requests that are refused. Default: CloudWatch embedded
   * metrics, on standard output; `METRICS` says of which.
   */
  readonly publishMetrics?: PublishMetrics;
  /** Ends a worker's container that a job goes on in. Default: ends the process. */
  readonly exit?: () => void;
}

/** What one Lambda container keeps between its invocations. */
export interface Container {
  readonly config: FunctionConfig;
  readonly processor: RemoteProcessor;
  /** The processor's. */
  readonly kick: AskForWorkers;
  readonly log: Logger;
  /** Connects, and registers the jobs once: to be awaited in each invocation before the processor is used. */
  readonly ready: () => Promise<void>;
}

/**
 * Reads the settings and makes what a function works with. Nothing is asked of the database until `ready`.
 *
 * @param poolSize how many connections it keeps to the database at most: all containers together must leave it some
 * @throws ValidationError listing every bad setting
 */
export function openContainer(
  { jobs, name, env = process.env, log: target = jsonLogger }: HandlerOptions,
  poolSize: (config: FunctionConfig) => number,
): Container {
  const config = readFunctionConfig(env);
  const log = atLevel(config.LOG_LEVEL, target);
  const client = mongoClient(config.MONGODB_URI, poolSize(config));
  const db = client.db(config.MONGODB_DATABASE);
  const kick = createKick({
    functionName: config.WORKER_FUNCTION_NAME,
    queueUrl: config.WAKE_UP_QUEUE_URL,
    endpoint: config.LAMBDA_ENDPOINT,
    limits: { maxThreads: config.MAX_THREADS, maxWorkers: config.MAX_WORKERS },
    lingerMs: config.LINGER,
    log,
  });
  const processor = new RemoteProcessor({
    db,
    collectionPrefix: config.COLLECTION_PREFIX,
    maxThreads: config.MAX_THREADS,
    ...(name !== undefined && { name }),
    ...(config.QUEUES && { queues: config.QUEUES }),
    kick,
    log,
  });
  const factories = typeof jobs === 'function' ? jobs(config) : jobs;
  const register = once(() => processor.addJobFactories(factories));
  const connect = livingConnections(client);
  const ready = async () => {
    await connect();
    await register();
  };
  return { config, processor, kick, log, ready };
}
