import { isDeepStrictEqual } from 'node:util';
import { BSON, type ClientSession, type Collection } from 'mongodb';
import { ConflictError } from '../errors.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { validateNow } from '../validate.js';
import { requireJob } from './find-job.js';
import { insertJob, type NewJob } from './insert-job.js';
import type { JobDocument } from './job.js';
import { type AddJobOptions, addJobOptionsSchema } from './job-options.js';
import type { JobRegistry } from './registry.js';
import { toNewJob } from './to-new-job.js';

/** A key may be freed between finding it taken and looking up who has it; then the insert is tried again. */
const MAX_TRIES = 10;

/** What the driver's own retry does not get over, such as a second connection that is dead; somebody waits for the answer. */
const RETRY_MS = 2_000;

/**
 * Adds a job and returns its id: see `RemoteProcessor.addJob`. Everything is checked before the first write.
 */
export async function addJob(
  jobs: Collection<JobDocument>,
  registry: JobRegistry,
  jobName: string,
  input: unknown,
  options: AddJobOptions = {},
): Promise<string> {
  const { session, callerRole, ...valid } = validateNow(addJobOptionsSchema, options, 'The call of addJob');
  const job = await toNewJob(await registry.find(jobName, callerRole), jobName, input, valid);
  return despiteFailures(session, () => writeJob(jobs, job, session));
}

/**
 * Tries to write jobs again when it is not known whether they were: their ids tell. Not in a transaction of the caller,
 * which a failure ends: `withTransaction` begins a new one.
 */
export function despiteFailures<Result>(
  session: ClientSession | undefined,
  write: () => Promise<Result>,
): Promise<Result> {
  return session ? write() : retryWhileUnreachable(RETRY_MS, write);
}

/** Writes one job that was checked, and returns its id, or that of the job that has its unique key. */
export async function writeJob(
  jobs: Collection<JobDocument>,
  job: NewJob,
  session?: ClientSession,
): Promise<string> {
  return job.uniqueKey === undefined
    ? insert(jobs, job, session)
    : insertUnique(jobs, job, job.uniqueKey, session);
}

async function insert(jobs: Collection<JobDocument>, job: NewJob, session?: ClientSession): Promise<string> {
  const result = await insertJob(jobs, job, session);
  if (result === 'idExists') await requireSameJob(jobs, job, session);
  return job.id;
}

/**
 * The holder of the key is looked up before the insert: in a transaction a duplicate key would abort it all.
 * The unique index decides when two add at the same moment.
 */
async function insertUnique(
  jobs: Collection<JobDocument>,
  job: NewJob,
  uniqueKey: string,
  session?: ClientSession,
): Promise<string> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const holder = await jobs.findOne(
      { jobName: job.jobName, uniqueKey },
      { projection: { _id: 1 }, ...(session && { session }) },
    );
    if (holder) return holder._id;
    const result = await insertJob(jobs, job, session);
    if (result === 'uniqueKeyTaken') continue;
    if (result === 'idExists') await requireSameJob(jobs, job, session);
    return job.id;
  }
  throw new ConflictError(
    job.id,
    `The unique key '${uniqueKey}' is taken and freed faster than it can be read.`,
  );
}

/** @throws ConflictError unless the stored job of this id is the one that is being added */
async function requireSameJob(jobs: Collection<JobDocument>, job: NewJob, session?: ClientSession) {
  if (isSameJob(await requireJob(jobs, job.id, session), job)) return;
  throw new ConflictError(
    job.id,
    `There is a job with the id '${job.id}' already, and it has another name or input.`,
  );
}

/** Whether what is stored is the job that is being added: then that was done before. */
export function isSameJob(
  stored: Pick<JobDocument, 'jobName' | 'input'> | undefined,
  { jobName, input }: NewJob,
): boolean {
  return stored?.jobName === jobName && isDeepStrictEqual(stored.input, asReadBack(input));
}

/** The driver gives back some BSON values, such as an Int32, as values of JavaScript. */
function asReadBack(input: unknown): unknown {
  return BSON.deserialize(BSON.serialize({ input }, { ignoreUndefined: true })).input;
}
