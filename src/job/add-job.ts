import { isDeepStrictEqual } from 'node:util';
import { BSON, type ClientSession, type Collection } from 'mongodb';
import { ConflictError } from '../errors.js';
import { byIndex, type IndexHint } from '../mongo/by-index.js';
import { inOwnBson } from '../mongo/own-bson.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { validateNow } from '../validate.js';
import { findJob } from './find-job.js';
import { uniqueKeyIndex } from './indexes.js';
import { type InsertResult, insertJob, type NewJob } from './insert-job.js';
import type { JobDocument } from './job.js';
import type { JobContract } from './job-contract.js';
import { type AddJobOptions, addJobOptionsSchema } from './job-options.js';
import type { JobCollections } from './jobs-collection.js';
import { type JobRegistry, nameOf } from './registry.js';
import { requireUniqueKeys } from './require-unique-index.js';
import { toNewJob } from './to-new-job.js';

/**
 * Maximum number of tries. An id or key found taken may be freed before its holder is read, and then the insert is
 * repeated.
 */
const MAX_TRIES = 10;

/** A job that was added. */
export interface Added {
  /** Id of the job, or of the job that holds its unique key. */
  readonly id: string;
  readonly job: NewJob;
  /** Whether the job already existed, by its id or its unique key. Then nothing was written. */
  readonly wasThere: boolean;
  /** When to stop waiting and retrying for the caller, by `performance.now()`. */
  readonly giveUpAt: number;
}

/** Adds a job, after checking everything before the first write. See `RemoteProcessor.addJob`. */
export async function addJob(
  collections: JobCollections,
  registry: JobRegistry,
  kind: string | JobContract,
  input: unknown,
  options: AddJobOptions = {},
): Promise<Added> {
  const { session, callerRole, patience, ...valid } = validateNow(
    addJobOptionsSchema,
    options,
    'The call of addJob',
  );
  const giveUpAt = performance.now() + patience;
  const despiteFailures = retrying(giveUpAt, session);
  const addable = await despiteFailures(() => registry.find(kind, callerRole));
  const job = await toNewJob(addable, nameOf(kind), input, valid);
  return registry.middlewares.adding([job], giveUpAt, async ([changed = job]) => {
    let tries = 0;
    const write = async () => {
      tries += 1;
      if (job.uniqueKey !== undefined) await requireUniqueKeys(collections);
      return writeJob(collections.jobs, changed, session);
    };
    const { id, isNew } = await despiteFailures(write);
    // An earlier try that seemed to fail may have written it.
    const wasThere = !isNew && (tries === 1 || id !== changed.id);
    return { id, job: changed, wasThere, giveUpAt };
  });
}

/**
 * Returns a function that repeats calls which the driver's own retry cannot save, for example during an election or
 * with a second dead connection. By their ids, a repeated write recognizes jobs that an earlier try wrote. Nothing is
 * repeated in the caller's transaction, which a failure ends; `withTransaction` begins a new one.
 *
 * @param giveUpAt when to stop, by `performance.now()`
 */
export function retrying(giveUpAt: number, session: ClientSession | undefined) {
  return <Result>(ask: () => Promise<Result>): Promise<Result> =>
    session ? ask() : retryWhileUnreachable(giveUpAt - performance.now(), ask);
}

/** The id of a job, or of the job that holds its unique key. `isNew` if the job was written now. */
export interface Written {
  readonly id: string;
  readonly isNew: boolean;
}

/** Writes a checked job, unless it already exists. */
export async function writeJob(
  jobs: Collection<JobDocument>,
  job: NewJob,
  session?: ClientSession,
): Promise<Written> {
  return job.uniqueKey === undefined
    ? insert(jobs, job, session)
    : insertUnique(jobs, job, job.uniqueKey, session);
}

async function insert(jobs: Collection<JobDocument>, job: NewJob, session?: ClientSession): Promise<Written> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const result = await insertJob(jobs, job, session);
    if (await isThere(result, jobs, job, session)) return { id: job.id, isNew: result === 'inserted' };
  }
  throw new ConflictError(
    job.id,
    `Jobs of the id '${job.id}' are added and removed faster than one can be read, or it is the id of something else.`,
  );
}

/**
 * Returns whether the job is stored now. It is not if a job with its id was found but removed before it could be read.
 */
async function isThere(
  result: InsertResult,
  jobs: Collection<JobDocument>,
  job: NewJob,
  session?: ClientSession,
): Promise<boolean> {
  if (result === 'inserted') return true;
  const stored = await findJob(jobs, job.id, session);
  if (stored === undefined || isSameJob(stored, job)) return stored !== undefined;
  throw new ConflictError(
    job.id,
    `There is a job with the id '${job.id}' already, and it has another name or input.`,
  );
}

/**
 * Inserts a job with a unique key. Looks up the key's holder first, because a duplicate key would abort a transaction.
 * If two jobs are added at the same moment, the unique index decides.
 */
async function insertUnique(
  jobs: Collection<JobDocument>,
  job: NewJob,
  uniqueKey: string,
  session?: ClientSession,
): Promise<Written> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const isHolder = { jobName: job.jobName, uniqueKey };
    const options = { projection: { _id: 1 }, ...(session && { session }) };
    const find = (hint: IndexHint) => jobs.findOne(isHolder, { ...options, ...hint });
    const holder = await byIndex(jobs, uniqueKeyIndex, find, session);
    if (holder) return { id: holder._id, isNew: false };
    const result = await insertJob(jobs, job, session);
    if (result !== 'uniqueKeyTaken' && (await isThere(result, jobs, job, session)))
      return { id: job.id, isNew: result === 'inserted' };
  }
  throw new ConflictError(
    job.id,
    `The unique key '${uniqueKey}' is taken and freed faster than it can be read.`,
  );
}

/** Returns whether the stored job is the one being added, which means that an earlier try added it. */
export function isSameJob(
  stored: Pick<JobDocument, 'jobName' | 'input'> | undefined,
  { jobName, input }: NewJob,
): boolean {
  return stored?.jobName === jobName && isDeepStrictEqual(asReadBack(stored.input), asReadBack(input));
}

/**
 * Returns the input as the driver would read it. Some BSON values, such as Int32, come back as JavaScript values, and
 * others as classes of the driver's own copy.
 */
function asReadBack(input: unknown): unknown {
  return BSON.deserialize(BSON.serialize(inOwnBson({ input }), { ignoreUndefined: true })).input;
}
