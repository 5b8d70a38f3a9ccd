import type { AnyBulkWriteOperation, BulkWriteResult, ClientSession, Collection } from 'mongodb';
import * as z from 'zod';
import type { Role } from '../access/role.js';
import { isKind } from '../brand.js';
import { type Issue, ValidationError } from '../errors.js';
import { MAX_ISSUES } from '../issues.js';
import { isBsonValue } from '../mongo/bson-marks.js';
import { byIndex, type IndexHint } from '../mongo/by-index.js';
import { isBulkWriteError } from '../mongo/driver-error.js';
import { DUPLICATE_KEY } from '../mongo/duplicate-key.js';
import { ServerClock } from '../mongo/server-clock.js';
import { validateNow } from '../validate.js';
import { type Added, isSameJob, retrying, writeJob } from './add-job.js';
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
import { requireUniqueKeys } from './require-unique-keys.js';
import { toNewJob } from './to-new-job.js';
import type { TypedJobToAdd } from './typed-jobs.js';

/** A job that `addJobs` is to add, by the name of its kind. */
export interface JobToAdd {
  readonly name: string;
  readonly job?: undefined;
  readonly input?: unknown;
  readonly options?: Omit<AddJobOptions, keyof AddJobsOptions> | undefined;
}

/** The same, also by the factory or the contract of its kind. */
export type AnyJobToAdd = JobToAdd | TypedJobToAdd<unknown>;

/** What was added; ids as `Added` has them. */
interface ManyAdded extends Pick<Added, 'giveUpAt'> {
  readonly ids: string[];
  readonly newJobs: readonly NewJob[];
}

/** Per command: keeps each short, far below MongoDB's limit of 100,000. */
const BATCH = 1000;

/** Inserts are cheaper. With the reading of the clock they are no more commands than the others would be. */
const INSERTED_BATCH = 2 * BATCH;

/**
 * Adds jobs; their ids are in the same order: see `RemoteProcessor.addJobs`. All are checked before the first
 * write; one command for up to 1000, one more if some of them have unique keys, one more if some were added before. More
 * than that are inserted at times that one more command reads, 2000 by a command, which is less work for the database.
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
  return registry.middlewares.adding(checked, giveUpAt, async (newJobs) => ({
    ids: await writeAll(collections, newJobs, session, despiteFailures),
    newJobs,
    giveUpAt,
  }));
}

async function writeAll(
  collections: JobCollections,
  newJobs: readonly NewJob[],
  session: ClientSession | undefined,
  despiteFailures: ReturnType<typeof retrying>,
): Promise<string[]> {
  if (newJobs.some(({ uniqueKey }) => uniqueKey !== undefined))
    await despiteFailures(() => requireUniqueKeys(collections));
  const { client, jobs } = collections;
  const clock = newJobs.length > BATCH && !session ? new ServerClock(client.db(jobs.dbName)) : undefined;
  const size = clock ? INSERTED_BATCH : BATCH;
  const ids: string[] = [];
  for (let start = 0; start < newJobs.length; start += size) {
    const batch = newJobs.slice(start, start + size);
    ids.push(...(await despiteFailures(() => writeBatch(jobs, batch, { session, clock }))));
  }
  return ids;
}

const entriesSchema = z.array(
  z.strictObject({
    name: z.string().optional(),
    job: z.custom<JobContract>(isJob, 'expected a job factory or a contract').optional(),
    input: z.unknown().optional(),
    options: addedJobSchema.optional(),
  }),
);

/** @throws ValidationError whose paths begin with the place in the list, UnknownJobNameError, or ForbiddenError */
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

/** Whether a kind of job is given in one of two ways. */
function isOne(name: string | undefined, job: JobContract | undefined): boolean {
  return (name === undefined) !== (job === undefined);
}

function notOne(index: number): ValidationError {
  const message = 'expected the name of a job, or its factory or contract as job, and not both';
  return new ValidationError('The list of addJobs', [{ path: `${index}.name`, message }]);
}

/** `clock`: they may be inserted at its times. In a transaction they may not: an id that is taken would abort it all. */
interface Writing {
  readonly session: ClientSession | undefined;
  readonly clock: ServerClock | undefined;
}

/**
 * One write for those whose unique keys are free; in a transaction a key that is taken would abort it all. What was
 * not inserted, since its id or its key was taken, is read back by one command: to add all of them again costs no more.
 * The few that even that does not explain, since somebody else came in between, are looked at one by one.
 */
async function writeBatch(
  jobs: Collection<JobDocument>,
  batch: readonly NewJob[],
  writing: Writing,
): Promise<string[]> {
  const { session } = writing;
  const holders = await findHolders(jobs, batch, session);
  const isFirst = firstOfTheirPlaces(new Set(holders.keys()));
  const inserted = await insertJobs(jobs, batch.filter(isFirst), writing);
  for (const job of inserted) if (job.uniqueKey !== undefined) holders.set(placeOf(job), job.id);
  const holderOf = (job: NewJob) => (job.uniqueKey === undefined ? undefined : holders.get(placeOf(job)));
  const known = (job: NewJob) => (inserted.has(job) ? job.id : holderOf(job));
  const same = await findSame(
    jobs,
    batch.filter((job) => known(job) === undefined),
    session,
  );
  const ids: string[] = [];
  for (const job of batch)
    ids.push(known(job) ?? (same.has(job) ? job.id : await writeJob(jobs, job, session)));
  return ids;
}

/** Maps the places of unique keys to the ids of the jobs that hold them. */
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

/** Tells of one job after the other whether its id and its unique key are free, which then are taken. */
function firstOfTheirPlaces(taken: Set<string>): (job: NewJob) => boolean {
  return (job) => {
    const places = [JSON.stringify(['id', job.id]), ...(job.uniqueKey === undefined ? [] : [placeOf(job)])];
    if (places.some((place) => taken.has(place))) return false;
    for (const place of places) taken.add(place);
    return true;
  };
}

function placeOf({ jobName, uniqueKey }: Pick<NewJob, 'jobName' | 'uniqueKey'>): string {
  return JSON.stringify(['key', jobName, uniqueKey]);
}

/** Returns the jobs that are stored already as given, by an earlier call or by an earlier try of this one. */
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

/** Returns those that were inserted. */
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

/** MongoDB puts its time in the place of an empty timestamp that is a field of what is inserted. */
function mayBeChanged({ input }: NewJob): boolean {
  return typeof input === 'object' && input !== null && isBsonValue(input);
}

/** Somebody else took a key or an id in the meantime: the others were inserted all the same. */
function resultDespiteTakenKeys(error: unknown): BulkWriteResult {
  if (!isBulkWriteError(error) || !error.result.hasWriteErrors()) throw error;
  const areTaken = error.result.getWriteErrors().every(({ code }) => code === DUPLICATE_KEY);
  if (areTaken && error.result.getWriteConcernError() === undefined) return error.result;
  throw error;
}
