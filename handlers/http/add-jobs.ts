import * as z from 'zod';
import type { Role } from '../../src/access/role.js';
import { isKind } from '../../src/brand.js';
import {
  type AddedJob,
  type RemoteProcessor,
  UnknownJobNameError,
  ValidationError,
} from '../../src/index.js';
import { ADD_JOB } from '../../src/job/add-job.js';
import { addJobDataSchema } from '../../src/job/job-options.js';
import type { Metadata } from '../../src/job/metadata.js';
import { ELECTION_MS } from '../../src/mongo/election.js';
import { documented } from './documented.js';
import { jobStatus } from './fields.js';
import { invalid, Problem } from './problem.js';

/** Schema of a job in a request's body. */
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

const additionShape = {
  id: z.string(),
  outcome: z.enum(['added', 'replaced', 'kept']).register(documented, {
    description:
      '`added`: it is a new job. `replaced`: the waiting job with its unique key got its input and options. `kept`: the job with its id or its unique key stays as it is.',
  }),
  inputDiffers: z
    .boolean()
    .register(documented, { description: 'Whether the job that is kept has another input.' }),
};

/** Result of adding a job. */
export const jobAddition = z.object(additionShape).register(documented, { id: 'JobAddition' });

export const addedState = z
  .object({ ...additionShape, status: jobStatus })
  .register(documented, { id: 'AddedJob', description: 'What became of a job that was added.' });

type AddedState = z.output<typeof addedState>;

/**
 * Adds one job with this metadata. If a job with its id or unique key exists, returns that job's status.
 *
 * @throws Problem with the path of everything that is wrong, and errors of `RemoteProcessor.addJob`
 */
export async function addOne(
  processor: RemoteProcessor,
  job: NewJob,
  callerRole: Role,
  timeLeft: () => number = () => Number.POSITIVE_INFINITY,
  metadata?: Metadata,
): Promise<AddedState> {
  const { name, input, options = {} } = job;
  const added = await processor.jobs
    .add(name, input, { ...options, metadata, callerRole, patience: patienceIn(timeLeft()) })
    .catch(refuseInput);
  const mayHaveRun = options.id !== undefined || added.outcome !== 'added';
  const status = mayHaveRun ? (await processor.getJob(added.id))?.status : undefined;
  return { ...added, status: status ?? 'queued' };
}

/**
 * Adds many jobs with this metadata, and returns what became of each.
 *
 * @throws Problem with the path of everything that is wrong, and errors of `RemoteProcessor.addJobs`
 */
export async function addMany(
  processor: RemoteProcessor,
  jobs: readonly NewJob[],
  callerRole: Role,
  timeLeft: () => number,
  metadata?: Metadata,
): Promise<AddedJob[]> {
  const all = jobs.map(({ options, ...job }) => ({ ...job, options: { ...options, metadata } }));
  const given = { callerRole, patience: patienceIn(timeLeft()) };
  return processor.jobs.addMany(all, given).catch((error: unknown) => {
    if (isKind(error, ValidationError))
      throw invalid(error.issues.map(({ path, message }) => ({ path: `jobs.${path}`, message })));
    if (!isKind(error, UnknownJobNameError)) throw error;
    const index = jobs.findIndex(({ name }) => name === error.jobName);
    const issues = [{ path: `jobs.${index}.name`, message: error.message }];
    throw new Problem('unknown_job_name', { detail: error.message, issues });
  });
}

/** Time reserved for the last try and the answer. The last try may take as long as the driver looks for a server. */
const RESERVED_MS = ELECTION_MS + 2_000;

/** Minimum wait for a kick. Most kicks arrive in this time, and so before the container is frozen. */
const LEAST_MS = 1_000;

/** Returns how long to retry and to wait for the kick, in milliseconds, so that the answer is sent in time. */
export function patienceIn(timeLeftMs: number): number {
  return Math.max(LEAST_MS, Math.min(ELECTION_MS, timeLeftMs - RESERVED_MS));
}

/** Returns the jobs with ids. A job without its own id gets the chosen one. */
export function withIds(jobs: readonly NewJob[], ids: readonly string[] | undefined): NewJob[] {
  return jobs.map((job, index) => ({ ...job, options: { id: ids?.[index], ...job.options } }));
}

/** Tells a job as added if it has the id chosen for this request. An earlier try of the request added it. */
export function asOnFirstTry<Told extends AddedJob>(told: Told, chosenId: string | undefined): Told {
  return told.id === chosenId ? { ...told, outcome: 'added', inputDiffers: false } : told;
}

export function locationOf(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

/** Throws a problem for invalid input, or for options that the kind of job does not allow. Rethrows other errors. */
function refuseInput(error: unknown): never {
  if (!isKind(error, ValidationError)) throw error;
  const field = error.subject === ADD_JOB ? 'options' : 'input';
  throw invalid(
    error.issues.map(({ path, message }) => ({ path: path === '' ? field : `${field}.${path}`, message })),
  );
}
