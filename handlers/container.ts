import type { MongoClient } from 'mongodb';
import {
  alertsOf,
  callbacksOf,
  type Environment,
  type FunctionConfig,
  type SecretName,
} from '../src/config.js';
import { type JobFactory, jsonLogger, type Logger, RemoteProcessor } from '../src/index.js';
import { atLevel } from '../src/log-level.js';
import { closeMongoClient, mongoClient } from '../src/mongo/client.js';
import { type AskForWorkers, createKick } from './kick.js';
import { livingConnections } from './living-connections.js';
import type { PublishMetrics } from './metrics.js';
import { once } from './once.js';
import { settingsOf } from './settings.js';

/** The kinds of jobs of a deployment, as a list or by name. */
export type JobFactories = readonly JobFactory[] | Readonly<Record<string, JobFactory>>;

/** The options of all handlers. */
export interface HandlerOptions {
  /** The kinds of jobs, or a function that makes them from the settings. */
  readonly jobs: JobFactories | ((config: FunctionConfig) => JobFactories);
  /**
   * The processor's name. Default: `'root'`. Two deployments on one database that both declare schedules need two names,
   * because each deactivates the items that it no longer declares.
   */
  readonly name?: string;
  /**
   * The environment variables. Default: `process.env`, read at the first invocation. If `SECRET_ID` names a secret, the
   * secret is read again from time to time.
   */
  readonly env?: Environment;
  /** The log. Default: JSON lines on standard output. */
  readonly log?: Logger;
  /**
   * Publishes the metrics of each invocation of the scheduler and the worker, and of refused requests. Default:
   * CloudWatch embedded metrics on standard output, limited by `METRICS`.
   */
  readonly publishMetrics?: PublishMetrics;
  /** Called with the processor of each container before its first use, to add listeners, middleware or `instrument`. */
  readonly extend?: (processor: RemoteProcessor) => void;
  /** Called to end a worker's container in which an abandoned job still runs. Default: ends the process. */
  readonly exit?: () => void;
}

/** The state that a Lambda container keeps between its invocations. */
export interface Container {
  readonly config: FunctionConfig;
  readonly processor: RemoteProcessor;
  readonly kick: AskForWorkers;
  readonly log: Logger;
  /** Connects, and registers the jobs once. Await this in each invocation before using the processor. */
  readonly ready: () => Promise<void>;
}

interface Needs<Kept> {
  /** Returns the maximum number of database connections. All containers together must leave some for others. */
  readonly poolSize: (config: FunctionConfig) => number;
  /** The members of a secret that this function reads. A bad member affects only functions that read that member. */
  readonly secrets: readonly SecretName[];
  /** Creates the function's own state. Called once per container. */
  readonly keep: (container: Container) => Kept;
}

/** Runs an invocation with the function's state. Rejects with a ValidationError that lists every bad setting. */
export type UseContainer<Kept> = <Result>(invocation: (kept: Kept) => Promise<Result>) => Promise<Result>;

interface Opened<Kept> {
  readonly config: FunctionConfig;
  readonly client: MongoClient;
  readonly kept: Kept;
  /** Number of invocations that currently use this state. */
  users: number;
}

/**
 * Returns a function that runs an invocation with the container's state. The first invocation creates the state, and
 * later ones reuse it. After a secret was rotated, the next invocation creates a new state. The old client is closed
 * once nobody uses it.
 */
export function containerOf<Kept>(
  options: HandlerOptions,
  { poolSize, secrets, keep }: Needs<Kept>,
): UseContainer<Kept> {
  const settings = settingsOf(options, secrets);
  let current: Opened<Kept> | undefined;

  function closeIfUnused({ client, users }: Opened<Kept>): void {
    if (users > 0 || client === current?.client) return;
    closeMongoClient(client).catch(() => {}); // Nobody needs the old client any more.
  }

  function open(config: FunctionConfig): Opened<Kept> {
    const client = mongoClient(config.MONGODB_URI, poolSize(config));
    const kept = keep(openContainer(options, config, client));
    const last = current;
    current = { config, client, kept, users: 0 };
    if (last) closeIfUnused(last);
    return current;
  }

  return async (invocation) => {
    const config = await settings();
    const mine = current?.config === config ? current : open(config);
    mine.users += 1;
    try {
      return await invocation(mine.kept);
    } finally {
      mine.users -= 1;
      closeIfUnused(mine);
    }
  };
}

/** Creates the container's state. Does not use the database until `ready` is called. */
function openContainer(
  { jobs, name, extend, log: target = jsonLogger }: HandlerOptions,
  config: FunctionConfig,
  client: MongoClient,
): Container {
  const log = atLevel(config.LOG_LEVEL, target);
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
    callbacks: callbacksOf(config),
    alerts: alertsOf(config),
    kick,
    log,
  });
  extend?.(processor);
  const factories = typeof jobs === 'function' ? jobs(config) : jobs;
  const register = once(() => processor.addJobFactories(factories));
  const connect = livingConnections(client);
  const ready = async () => {
    await connect();
    await register();
  };
  return { config, processor, kick, log, ready };
}
