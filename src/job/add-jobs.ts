import type { AnyBulkWriteOperation, ClientSession, Collection } from 'mongodb';
import * as z from 'zod';
import type { Role } from '../access/role.js';
import { batchesOf } from '../batches-of.js';
import { isKind } from '../brand.js';
import { type Issue, ValidationError } from '../errors.js';
import { MAX_ISSUES } from '../issues.js';
import { isBsonValue } from '../mongo/bson-marks.js';
import { byIndex, type IndexHint } from '../mongo/by-index.js';
import { resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import { ServerClock } from '../mongo/server-clock.js';
import { Slots } from '../slots.js';
import { validateNow } from '../validate.js';
import { type Added, isSameJob, retrying, type Written, writeJob } from './add-job.js';
import { uniqueKeyIndex } from './indexes.js';
import { documentAt, insertUnlessFound, type NewJob } from './insert-job.js';
import type { JobDocument } from './job.js';
import type { JobContract } from './job-contract.js';
import {
  type AddJobOptions,
  type AddJobsOptions,
  addedJobSchema,
  addJobsOptionsSchema,
} from './job-options.js';
import type { JobCollections } from './jobs-collection.js';
import { type AddableJob, isJob, type JobRegistry, nameOf } from './registry.js';
import { requireUniqueKeys } from './require-unique-index.js';
import { toNewJob } from './to-new-job.js';
import type { TypedJobToAdd } from './typed-jobs.js';

/** A job for `addJobs`, identified by the name of its kind. */
export interface JobToAdd {
  readonly name: string;
  readonly job?: undefined;
  readonly input?: unknown;
  readonly options?: Omit<AddJobOptions, keyof AddJobsOptions> | undefined;
}

/** A job for `addJobs`, identified by name, factory or contract. */
export type AnyJobToAdd = JobToAdd | TypedJobToAdd<unknown>;

/** The jobs that were added, with ids as in `Added`. */
interface ManyAdded extends Pick<Added, 'giveUpAt'> {
  readonly ids: string[];
  /** The jobs that did not exist before. */
  readonly newJobs: readonly NewJob[];
}

/** Jobs per command. Keeps each command short, far below MongoDB's limit of 100,000. */
const BATCH = 1000;

/**
 * Jobs per insert command. Inserts are cheaper, so even with the command that reads the clock, this takes no more
 * commands.
 */
const INSERTED_BATCH = 2 * BATCH;

/** Commands under way at a time. The next one is prepared and sent while the database executes the other. */
const WRITES_AT_A_TIME = 2;

/**
 * Adds jobs and returns their ids in the same order. See `RemoteProcessor.addJobs`. All jobs are checked before the
 * first write. Up to 1000 jobs cost one command, one more if some have unique keys, and one more if some were added
 * before. Larger lists are inserted 2000 per command, two commands at a time, after one command that reads the
 * database's clock. Inserts cost the database less than upserts.
 */
export async function addJobs(
  collections: JobCollections,
  registry: JobRegistry,
  given: readonly AnyJobToAdd[],
  options: AddJobsOptions,
): Promise<ManyAdded> {
  const { session, callerRole, patience } = validateNow(addJobsOptionsSchema, options, 'The call of addJobs');
  const giveUpAt = performance.now() + patience;
  const despiteFailures = retrying(giveUpAt, session);
  const checked = await despiteFailures(() => checkAll(registry, given, callerRole));
  return registry.middlewares.adding(checked, giveUpAt, async (jobs) => {
    const written = await writeAll(collections, jobs, session, despiteFailures);
    const newJobs = jobs.filter((_, index) => written[index]?.isNew);
    return { ids: written.map(({ id }) => id), newJobs, giveUpAt };
  });
}

async function writeAll(
  collections: JobCollections,
  newJobs: readonly NewJob[],
  session: ClientSession | undefined,
  despiteFailures: ReturnType<typeof retrying>,
): Promise<Written[]> {
  if (newJobs.some(({ uniqueKey }) => uniqueKey !== undefined))
    await despiteFailures(() => requireUniqueKeys(collections));
  const { client, jobs } = collections;
  const clock = newJobs.length > BATCH && !session ? new ServerClock(client.db(jobs.dbName)) : undefined;
  const batches = batchesOf(newJobs, clock ? INSERTED_BATCH : BATCH);
  const slots = new Slots(clock && areApart(newJobs) ? WRITES_AT_A_TIME : 1);
  const failure = new AbortController();
  const write = async (batch: readonly NewJob[]) => {
    failure.signal.throwIfAborted();
    try {
      return await writeDespiteFailures(jobs, batch, { session, clock }, despiteFailures);
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  // Nothing is written any more once the caller is told of a failure.
  const written = await Promise.allSettled(batches.map((batch) => slots.use(() => write(batch))));
  return written.flatMap((result) => {
    if (result.status === 'rejected') throw failure.signal.reason;
    return result.value;
  });
}

/**
 * Repeats the write after failures. A job found under its own id then counts as new, because a failed try may have
 * written it.
 */
async function writeDespiteFailures(
  jobs: Collection<JobDocument>,
  batch: readonly NewJob[],
  writing: Writing,
  despiteFailures: ReturnType<typeof retrying>,
): Promise<Written[]> {
  let tries = 0;
  const written = await despiteFailures(() => {
    tries += 1;
    return writeBatch(jobs, batch, writing);
  });
  if (tries === 1) return written;
  return written.map(({ id, isNew }, index) => ({ id, isNew: isNew || id === batch[index]?.id }));
}

/** Returns whether no two of the jobs share an id or a unique key, so that they can be written in any order. */
function areApart(newJobs: readonly NewJob[]): boolean {
  const ids = new Set(newJobs.map(({ id }) => id));
  return ids.size === newJobs.length && newJobs.every(({ uniqueKey }) => uniqueKey === undefined);
}

const entriesSchema = z.array(
  z.strictObject({
    name: z.string().optional(),
    job: z.custom<JobContract>(isJob, 'expected a job factory or a contract').optional(),
    input: z.unknown().optional(),
    options: addedJobSchema.optional(),
  }),
);

/** Checks the list. @throws ValidationError with paths that begin with the index, UnknownJobNameError, or ForbiddenError */
async function checkAll(
  registry: JobRegistry,
  given: readonly AnyJobToAdd[],
  callerRole: Role | undefined,
): Promise<NewJob[]> {
  const entries = validateNow(entriesSchema, given, 'The list of addJobs');
  const addable = new Map<string | JobContract, AddableJob>();
  const newJobs: NewJob[] = [];
  const issues: Issue[] = [];
  for (const [index, { name, job: given, input, options = {} }] of entries.entries()) {
    const kind = name ?? given;
    if (!isOne(name, given) || kind === undefined) throw notOne(index);
    const job = addable.get(kind) ?? (await registry.find(kind, callerRole));
    addable.set(kind, job);
    try {
      newJobs.push(await toNewJob(job, nameOf(kind), input, options));
    } catch (error) {
      if (!isKind(error, ValidationError)) throw error;
      for (const { path, message } of error.issues)
        issues.push({ path: [index, 'input', path].filter((part) => part !== '').join('.'), message });
      if (issues.length >= MAX_ISSUES) break;
    }
  }
  if (issues.length > 0) throw new ValidationError('The list of addJobs', issues);
  return newJobs;
}

/** Returns whether exactly one of the two is given. */
function isOne(name: string | undefined, job: JobContract | undefined): boolean {
  return (name === undefined) !== (job === undefined);
}

function notOne(index: number): ValidationError {
  const message = 'expected the name of a job, or its factory or contract as job, and not both';
  return new ValidationError('The list of addJobs', [{ path: `${index}.name`, message }]);
}

/**
 * How to write a batch. With `clock`, jobs may be inserted with its time. In a transaction it is undefined, because
 * inserting a taken id would abort the transaction.
 */
interface Writing {
  readonly session: ClientSession | undefined;
  readonly clock: ServerClock | undefined;
}

/**
 * Writes a batch. One command inserts the jobs whose unique keys are free, since a taken key would abort a transaction.
 * Another reads back jobs that were not inserted, so adding the same jobs again costs no more. Any left over, because
 * of a concurrent writer, are written one by one.
 */
async function writeBatch(
  jobs: Collection<JobDocument>,
  batch: readonly NewJob[],
  writing: Writing,
): Promise<Written[]> {
  const { session } = writing;
  const holders = await findHolders(jobs, batch, session);
  const isFirst = firstOfTheirPlaces(holders.keys());
  const inserted = await insertJobs(jobs, batch.filter(isFirst), writing);
  for (const job of inserted) if (job.uniqueKey !== undefined) holders.set(placeOf(job), job.id);
  const holderOf = (job: NewJob) => (job.uniqueKey === undefined ? undefined : holders.get(placeOf(job)));
  const known = (job: NewJob) => (inserted.has(job) ? job.id : holderOf(job));
  const same = await findSame(
    jobs,
    batch.filter((job) => known(job) === undefined),
    session,
  );
  const written: Written[] = [];
  for (const job of batch) {
    const id = known(job) ?? (same.has(job) ? job.id : undefined);
    written.push(id === undefined ? await writeJob(jobs, job, session) : { id, isNew: inserted.has(job) });
  }
  return written;
}

/**
 * Finds the jobs that already hold these unique keys. Returns their ids, keyed by `placeOf` (job name and unique key).
 */
async function findHolders(
  jobs: Collection<JobDocument>,
  batch: readonly NewJob[],
  session: ClientSession | undefined,
): Promise<Map<string, string>> {
  const keysByName = new Map<string, Set<string>>();
  for (const { jobName, uniqueKey } of batch) {
    if (uniqueKey === undefined) continue;
    const keys = keysByName.get(jobName) ?? new Set();
    keysByName.set(jobName, keys.add(uniqueKey));
  }
  if (keysByName.size === 0) return new Map();
  const held = [...keysByName].map(([jobName, keys]) => ({ jobName, uniqueKey: { $in: [...keys] } }));
  const projection = { jobName: 1, uniqueKey: 1 };
  const options = { projection, batchSize: batch.length + 1, ...(session && { session }) };
  const find = (hint: IndexHint) => jobs.find({ $or: held }, { ...options, ...hint }).toArray();
  const found = await byIndex(jobs, uniqueKeyIndex, find, session);
  return new Map(found.map((holder) => [placeOf(holder), holder._id]));
}

/**
 * Returns a function that tells whether a job is the first with its id and its unique key.
 *
 * @param held unique keys that existing jobs hold, as `placeOf` returns them
 */
function firstOfTheirPlaces(held: Iterable<string>): (job: NewJob) => boolean {
  const places = new Set(held);
  const ids = new Set<string>();
  return (job) => {
    const place = job.uniqueKey === undefined ? undefined : placeOf(job);
    if (ids.has(job.id) || (place !== undefined && places.has(place))) return false;
    ids.add(job.id);
    if (place !== undefined) places.add(place);
    return true;
  };
}

/** Returns a string that identifies a unique key together with its job name. */
function placeOf({ jobName, uniqueKey }: Pick<NewJob, 'jobName' | 'uniqueKey'>): string {
  return JSON.stringify([jobName, uniqueKey]);
}

/** Returns the jobs that are already stored with the same input, by an earlier call or an earlier try of this one. */
async function findSame(
  jobs: Collection<JobDocument>,
  newJobs: readonly NewJob[],
  session: ClientSession | undefined,
): Promise<ReadonlySet<NewJob>> {
  if (newJobs.length === 0) return new Set();
  const found = await jobs
    .find(
      { _id: { $in: newJobs.map(({ id }) => id) } },
      { projection: { jobName: 1, input: 1 }, batchSize: newJobs.length + 1, ...(session && { session }) },
    )
    .toArray();
  const byId = new Map(found.map((document) => [document._id, document]));
  return new Set(newJobs.filter((job) => isSameJob(byId.get(job.id), job)));
}

/** Inserts jobs and returns the ones that were inserted. */
async function insertJobs(
  jobs: Collection<JobDocument>,
  newJobs: readonly NewJob[],
  { session, clock }: Writing,
): Promise<ReadonlySet<NewJob>> {
  if (newJobs.length === 0) return new Set();
  const now = newJobs.some(mayBeChanged) ? undefined : await clock?.now();
  const write = now === undefined ? upsert : insertAt(now);
  const options = { ordered: false, ...(session && { session }) };
  const result = await jobs.bulkWrite(newJobs.map(write), options).catch(resultDespiteTakenKeys);
  const failed = new Set(result.getWriteErrors().map(({ index }) => index));
  const isInserted = (index: number) =>
    now === undefined ? result.upsertedIds[index] !== undefined : !failed.has(index);
  return new Set(newJobs.filter((_, index) => isInserted(index)));
}

function upsert(job: NewJob): AnyBulkWriteOperation<JobDocument> {
  return { updateOne: { filter: { _id: job.id }, update: insertUnlessFound(job), upsert: true } };
}

function insertAt(now: Date): (job: NewJob) => AnyBulkWriteOperation<JobDocument> {
  return (job) => ({ insertOne: { document: documentAt(job, now) } });
}

/**
 * Returns whether MongoDB may change the input. An insert replaces an empty timestamp at the top level by the current
 * time.
 */
function mayBeChanged({ input }: NewJob): boolean {
  return typeof input === 'object' && input !== null && isBsonValue(input);
}
