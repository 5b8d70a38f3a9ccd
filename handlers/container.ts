import type { MongoClient } from 'mongodb';
import type { Environment, FunctionConfig, SecretName } from '../src/config.js';
import { type JobFactory, jsonLogger, type Logger, RemoteProcessor } from '../src/index.js';
import { atLevel } from '../src/log-level.js';
import { closeMongoClient, mongoClient } from '../src/mongo/client.js';
import { type AskForWorkers, createKick } from './kick.js';
import { livingConnections } from './living-connections.js';
import type { PublishMetrics } from './metrics.js';
import { once } from './once.js';
import { settingsOf } from './settings.js';

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
  /** Default: `process.env`, read at the first invocation; of a secret that it names (`SECRET_ID`), what is rotated is read again. */
  readonly env?: Environment;
  /** Default: JSON lines on standard output. */
  readonly log?: Logger;
  /**
   * Of each invocation of the scheduler and the worker, and of requests that are refused. Default: CloudWatch embedded
   * metrics, on standard output; `METRICS` says of which.
   */
  readonly publishMetrics?: PublishMetrics;
  /** Called with the processor of each container before it is used: to add listeners (`on`), middleware (`use`) or `instrument` it. */
  readonly extend?: (processor: RemoteProcessor) => void;
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

/** What a function needs of its container. */
interface Needs<Kept> {
  /** How many connections it keeps to the database at most: all containers together must leave it some. */
  readonly poolSize: (config: FunctionConfig) => number;
  /** Of a secret, what it reads: so one that is wrong for another function is not its business. */
  readonly secrets: readonly SecretName[];
  /** Makes of the container what the function keeps; once, as the container. */
  readonly keep: (container: Container) => Kept;
}

/** Runs an invocation with what the function keeps. Rejects with a ValidationError that lists every bad setting. */
export type UseContainer<Kept> = <Result>(invocation: (kept: Kept) => Promise<Result>) => Promise<Result>;

interface Opened<Kept> {
  readonly config: FunctionConfig;
  readonly client: MongoClient;
  readonly kept: Kept;
  /** Invocations under way. */
  users: number;
}

/**
 * The container of a function: opened in the first invocation, and kept. When a secret was rotated, the next invocation
 * opens another one; the client of the last is closed when nobody uses it any more.
 */
export function containerOf<Kept>(
  options: HandlerOptions,
  { poolSize, secrets, keep }: Needs<Kept>,
): UseContainer<Kept> {
  const settings = settingsOf(options, secrets);
  let current: Opened<Kept> | undefined;

  function closeIfUnused({ client, users }: Opened<Kept>): void {
    if (users > 0 || client === current?.client) return;
    closeMongoClient(client).catch(() => {}); // To the old database there is nothing to say any more.
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

/** Nothing is asked of the database until `ready`. */
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
