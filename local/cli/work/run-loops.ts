import { once } from 'node:events';
import { findWrongIndexes } from '../../../src/collections/find-wrong-indexes.js';
import { alertsOf, callbacksOf } from '../../../src/config.js';
import { jsonLogger } from '../../../src/log.js';
import { atLevel } from '../../../src/log-level.js';
import { closeMongoClients } from '../../../src/mongo/client.js';
import { consoleLogger } from '../../console-logger.js';
import { endProcess } from '../../end-process.js';
import { factoriesOf, type JobCode, loadJobCode, NO_MODULE, namesOf } from '../../job-code.js';
import { startMetrics } from '../../metrics/start-metrics.js';
import { LocalProcessor } from '../../processor.js';
import { connectToDatabase } from '../api/in-process.js';
import type { CommandContext } from '../context.js';
import { serveHealth } from './serve-health.js';

/** The options that `work` and `schedule` share. */
export interface LoopOptions {
  readonly jobs?: string | undefined;
  readonly name?: string | undefined;
  readonly healthPort?: number | undefined;
}

/** A kind of loop, and how to run it. */
export interface LoopKind {
  /** Prepares the database for the loop, after the job factories are registered. */
  readonly prepare: (processor: LocalProcessor, code: JobCode) => Promise<unknown>;
  readonly begin: (processor: LocalProcessor) => void;
  readonly end: (processor: LocalProcessor) => Promise<void>;
}

/**
 * Runs a loop on this machine until Ctrl-C or SIGTERM, and then ends the process.
 *
 * @throws CommandFailure, ValidationError, or the error of a module of jobs that fails to load
 */
export async function runLoops(
  { output, env, stopRequested }: CommandContext,
  { jobs, name, healthPort }: LoopOptions,
  { prepare, begin, end }: LoopKind,
): Promise<never> {
  const code = await loadJobCode(jobs);
  const { db, collections, config } = await connectToDatabase(env);
  const log = atLevel(config.LOG_LEVEL, output.isTerminal && !output.isJson ? consoleLogger : jsonLogger);
  if (jobs === undefined) log.warn(NO_MODULE, { jobs: namesOf(factoriesOf(code, config)) });
  const setUp = async (to: LocalProcessor) => {
    await to.addJobFactories(factoriesOf(code, config));
    await prepare(to, code);
  };
  const processor = new LocalProcessor({
    db,
    collectionPrefix: config.COLLECTION_PREFIX,
    callbacks: callbacksOf(config),
    alerts: alertsOf(config),
    log,
    ...(name !== undefined && { name }),
    ...(config.MAX_THREADS !== undefined && { maxThreads: config.MAX_THREADS }),
    ...(config.QUEUES && { queues: config.QUEUES }),
    setUp: async (to) => {
      await to.ensureIndexes({ byQueue: config.INDEX_BY_QUEUE });
      await setUp(to);
    },
  });
  const health = healthPort === undefined ? undefined : await serveHealth(processor, healthPort, log);
  const metrics = await startMetrics(processor, db, config, log);
  const { missing } = await findWrongIndexes(collections);
  if (missing.length > 0) log.warn('Indexes are missing: run remote-processor ensure-indexes', { missing });
  await setUp(processor);
  // Before this line, a signal ends the process at once, even if the database does not answer.
  const stopping = stopRequested();
  begin(processor);
  if (!stopping.aborted) await once(stopping, 'abort');
  return endProcess(async () => {
    await Promise.all([health?.stop(), metrics?.stop(), end(processor)]);
    await closeMongoClients();
  }, log);
}
