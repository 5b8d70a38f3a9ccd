import type { Collections } from '../../../src/collections/collections.js';
import type { Environment } from '../../../src/config.js';
import { type Job, type JobFactory, RemoteProcessor, silentLogger } from '../../../src/index.js';
import { findSteps } from '../../../src/job/find-steps.js';
import { listJobs } from '../../../src/job/list-jobs.js';
import { closeMongoClients } from '../../../src/mongo/client.js';
import { type Replay, replay } from '../../../src/step/replay.js';
import { factoriesOf, loadJobCode } from '../../job-code.js';
import { connectToDatabase } from '../api/in-process.js';

/** A job in flight, and what the code would do with its steps. */
export interface ReplayedJob extends Replay {
  readonly id: string;
  readonly jobName: string;
  /** Whether newer code has begun the job. */
  readonly isNewer: boolean;
}

/**
 * Replays the jobs in flight of each kind in a module, at most `limit` jobs per kind.
 *
 * @throws CommandFailure, ValidationError, or the error of a module of jobs that fails to load
 */
export async function replayJobs(
  env: Environment,
  module: string | undefined,
  limit: number,
): Promise<ReplayedJob[]> {
  const code = await loadJobCode(module);
  const { db, collections, config } = await connectToDatabase(env);
  try {
    const processor = new RemoteProcessor({
      db,
      collectionPrefix: config.COLLECTION_PREFIX,
      log: silentLogger,
    });
    const replayed: ReplayedJob[] = [];
    for (const factory of Object.values<JobFactory>(factoriesOf(code, config)))
      for (const job of await inFlight(collections, factory.name, limit)) {
        const { steps: entries } = await findSteps(collections, job.id);
        const { id, jobName } = job;
        const told = await replay(factory, { job, entries }, processor);
        replayed.push({ id, jobName, isNewer: told === undefined, ...(told ?? untouched) });
      }
    return replayed;
  } finally {
    await closeMongoClients();
  }
}

const untouched: Replay = { met: [], next: [], unmet: [] };

/** Returns the jobs of a kind that have stored steps and are not settled, the newest first. */
async function inFlight({ jobs }: Collections, jobName: string, limit: number): Promise<Job[]> {
  const found: Job[] = [];
  for (const status of ['queued', 'processing'] as const) {
    let cursor: string | undefined;
    do {
      const page = await listJobs(jobs, { jobName, status, ...(cursor !== undefined && { cursor }) });
      found.push(...page.jobs.filter(({ steps }) => steps !== undefined));
      cursor = page.cursor;
    } while (cursor !== undefined && found.length < limit);
  }
  return found.slice(0, limit);
}
