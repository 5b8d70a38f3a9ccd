import * as z from 'zod';
import type { Role } from '../../src/access/role.js';
import { isKind } from '../../src/brand.js';
import { type RemoteProcessor, UnknownJobNameError, ValidationError } from '../../src/index.js';
import { addJobDataSchema } from '../../src/job/job-options.js';
import type { Metadata } from '../../src/job/metadata.js';
import { ELECTION_MS } from '../../src/mongo/election.js';
import { documented } from './documented.js';
import { jobStatus } from './fields.js';
import { invalid, Problem } from './problem.js';

/** A job to add, as it stands in a body. */
export const newJob = z
  .strictObject({
    name: z.string(),
    input: z.unknown().optional(),
    options: addJobDataSchema.optional(),
  })
  .register(documented, { id: 'NewJob', description: 'A job that is to be added.' });

type NewJob = z.output<typeof newJob>;

export const jobState = z
  .object({ id: z.string(), status: jobStatus })
  .register(documented, { id: 'JobState' });

type JobState = z.output<typeof jobState>;

/**
 * Adds one job with this metadata. If its id or its unique key was known, returns the status of the existing job.
 *
 * @throws Problem with the path of everything that is wrong, and what `RemoteProcessor.addJob` throws
 */
export async function addOne(
  processor: RemoteProcessor,
  job: NewJob,
  callerRole: Role,
  timeLeft: () => number = () => Number.POSITIVE_INFINITY,
  metadata?: Metadata,
): Promise<JobState> {
  const { name, input, options = {} } = job;
  const id = await processor
    .addJob(name, input, { ...options, metadata, callerRole, patience: patienceIn(timeLeft()) })
    .catch(refuseInput);
  const mayBeOld = options.id !== undefined || options.uniqueKey !== undefined;
  const status = mayBeOld ? (await processor.getJob(id))?.status : undefined;
  return { id, status: status ?? 'queued' };
}

/**
 * Adds many jobs with this metadata, and returns their ids.
 *
 * @throws Problem with the path of everything that is wrong, and what `RemoteProcessor.addJobs` throws
 */
export async function addMany(
  processor: RemoteProcessor,
  jobs: readonly NewJob[],
  callerRole: Role,
  timeLeft: () => number,
  metadata?: Metadata,
): Promise<string[]> {
  const all = jobs.map(({ options, ...job }) => ({ ...job, options: { ...options, metadata } }));
  return processor.addJobs(all, { callerRole, patience: patienceIn(timeLeft()) }).catch((error: unknown) => {
    if (isKind(error, ValidationError))
      throw invalid(error.issues.map(({ path, message }) => ({ path: `jobs.${path}`, message })));
    if (!isKind(error, UnknownJobNameError)) throw error;
    const index = jobs.findIndex(({ name }) => name === error.jobName);
    const issues = [{ path: `jobs.${index}.name`, message: error.message }];
    throw new Problem('unknown_job_name', { detail: error.message, issues });
  });
}

/** The time for the answer, and for the last try, which may take as long as the driver looks for a server. */
const RESERVED_MS = ELECTION_MS + 2_000;

/** The time in which a kick has mostly arrived, so that it is not frozen with the container. */
const LEAST_MS = 1_000;

/** Returns how long to try again, and to wait for the kick, so that the answer is sent in time. */
function patienceIn(timeLeftMs: number): number {
  return Math.max(LEAST_MS, Math.min(ELECTION_MS, timeLeftMs - RESERVED_MS));
}

/** Returns the same jobs, each with its own id or, without one, the id that was chosen for it. */
export function withIds(jobs: readonly NewJob[], ids: readonly string[] | undefined): NewJob[] {
  return jobs.map((job, index) => ({ ...job, options: { id: ids?.[index], ...job.options } }));
}

export function locationOf(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

/** Reports issues as those of the input, since the options were validated before. */
function refuseInput(error: unknown): never {
  if (!isKind(error, ValidationError)) throw error;
  throw invalid(
    error.issues.map(({ path, message }) => ({ path: path === '' ? 'input' : `input.${path}`, message })),
  );
}
