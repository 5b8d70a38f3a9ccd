import { isDeepStrictEqual } from 'node:util';
import { type ClientSession, type Collection, ObjectId } from 'mongodb';
import type * as z from 'zod';
import { ConflictError } from '../errors.js';
import { validateNow } from '../validate.js';
import { requireJob } from './find-jobs.js';
import { insertJob, type NewJob } from './insert-job.js';
import type { JobDocument } from './job.js';
import { type AddJobOptions, type addJobDataSchema, addJobOptionsSchema } from './job-options.js';
import type { JobRegistry } from './registry.js';
import { toInput } from './storable.js';

/** A key may be freed between finding it taken and looking up who has it; then the insert is tried again. */
const MAX_TRIES = 10;

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
  const { session, ...valid } = validateNow(addJobOptionsSchema, options, 'Options of addJob');
  const job = await toNewJob(registry, jobName, input, valid);
  return job.uniqueKey === undefined
    ? insert(jobs, job, session)
    : insertUnique(jobs, job, job.uniqueKey, session);
}

async function toNewJob(
  registry: JobRegistry,
  jobName: string,
  input: unknown,
  options: z.output<typeof addJobDataSchema>,
): Promise<NewJob> {
  const { defaults, checkInput } = await registry.find(jobName);
  const { id, uniqueKey, runAt, delay, ...overrides } = options;
  const storable = toInput(input, jobName);
  await checkInput(storable);
  return {
    id: id ?? new ObjectId().toHexString(),
    jobName,
    input: storable,
    queue: overrides.queue ?? defaults.queue,
    priority: overrides.priority ?? defaults.priority,
    maxRetries: overrides.maxRetries ?? defaults.maxRetries,
    retryDelay: overrides.retryDelay ?? defaults.retryDelay,
    retention: defaults.retention,
    runAt: runAt ?? delay ?? 0,
    ...(uniqueKey !== undefined && { uniqueKey }),
  };
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
async function requireSameJob(
  jobs: Collection<JobDocument>,
  { id, jobName, input }: NewJob,
  session?: ClientSession,
) {
  const stored = await requireJob(jobs, id, session);
  if (stored.jobName === jobName && isDeepStrictEqual(stored.input, input)) return;
  throw new ConflictError(
    id,
    `There is a job with the id '${id}' already, and it has another name or input.`,
  );
}
