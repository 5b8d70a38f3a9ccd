import { setImmediate } from 'node:timers/promises';
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
import { type Added, asWrittenBefore, retrying } from './add-job.js';
import { type Holder, type KeyedJob, replaces } from './add-unique-job.js';
import { uniqueKeyIndex } from './indexes.js';
import { documentAt, insertUnlessFound, type NewJob, type PutInLine } from './insert-job.js';
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
import { findLost, type Replacement, replaceMany } from './replace-many.js';
import { requireUniqueKeys } from './require-unique-index.js';
import { orderIssues, toNewJob } from './to-new-job.js';
import type { TypedJobToAdd } from './typed-jobs.js';
import { type AddedJob, comparedFields, isKeyed, isSameJob, type JobWriting, writeJob } from './write-job.js';

/** A job for `addJobs`, identified by the name of its kind. */
export interface JobToAdd {
  readonly name: string;
  readonly job?: undefined;
  readonly input?: unknown;
  readonly options?: Omit<AddJobOptions, keyof AddJobsOptions> | undefined;
}

/** A job for `addJobs`, identified by name, factory or contract. */
export type AnyJobToAdd = JobToAdd | TypedJobToAdd<unknown>;

/** Results for the jobs, in the given order. */
export interface ManyAdded extends Pick<Added, 'giveUpAt' | 'lost'> {
  readonly added: AddedJob[];
  readonly jobs: readonly NewJob[];
}

/** Jobs per command. Keeps each command short, far below MongoDB's limit of 100,000. */
const BATCH = 1000;

/**
 * Jobs per insert command. Twice as many as for upserts, since inserts are cheaper. So a list of jobs takes no more
 * commands than upserts would, even with the command that reads the clock.
 */
const INSERTED_BATCH = 2 * BATCH;

/** Commands under way at a time. The next one is prepared and sent while the database executes the other. */
const WRITES_AT_A_TIME = 2;

/**
 * Adds jobs and returns their ids in the same order. See `RemoteProcessor.addJobs`. All jobs are checked before the first
 * write. Up to 1000 jobs cost one command, one more if some have unique keys, and one more if some were added before.
 * Larger lists are inserted 2000 per command, two commands at a time, after one command that reads the database's clock.
 * Inserts cost the database less than upserts. A job that changes the holder of its unique key costs a command of its own.
 */
export async function addJobs(
  collections: JobCollections,
  registry: JobRegistry,
  putInLine: PutInLine,
  given: readonly AnyJobToAdd[],
  options: AddJobsOptions,
  withInput = false,
): Promise<ManyAdded> {
  const { session, callerRole, patience } = validateNow(addJobsOptionsSchema, options, 'The call of addJobs');
  const giveUpAt = performance.now() + patience;
  const checked = await retrying(giveUpAt, session)(() => checkJobs(registry, given, callerRole));
  return addChecked(collections, registry, putInLine, checked, { session, giveUpAt, withInput });
}

/** How checked jobs are added. `giveUpAt` is when to stop waiting and retrying, by `performance.now()`. */
export interface CheckedAdding extends Omit<JobWriting, 'lost'> {
  readonly giveUpAt: number;
}

/** Adds jobs that were checked before. */
export async function addChecked(
  collections: JobCollections,
  registry: JobRegistry,
  putInLine: PutInLine,
  checked: readonly NewJob[],
  { session, giveUpAt, withInput }: CheckedAdding,
): Promise<ManyAdded> {
  const despiteFailures = retrying(giveUpAt, session);
  return registry.middlewares.adding(checked, giveUpAt, async (ready) => {
    const jobs = await despiteFailures(() => putInLine(ready, session));
    const lost = new Set<string>();
    const added = await writeAll(collections, jobs, { session, withInput, lost }, despiteFailures);
    return { added, jobs, giveUpAt, lost };
  });
}

async function writeAll(
  collections: JobCollections,
  newJobs: readonly NewJob[],
  writing: JobWriting,
  despiteFailures: ReturnType<typeof retrying>,
): Promise<AddedJob[]> {
  const { session } = writing;
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
      return await writeDespiteFailures(jobs, batch, { ...writing, clock }, despiteFailures);
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
): Promise<AddedJob[]> {
  let tries = 0;
  const written = await despiteFailures(() => {
    tries += 1;
    return writeBatch(jobs, batch, writing);
  });
  if (tries === 1) return written;
  return batch.map((job, index) => asWrittenBefore(written[index] ?? asAdded(job), job));
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

/**
 * Checks jobs to be added.
 *
 * @throws ValidationError with paths that begin with the index, UnknownJobNameError, or ForbiddenError
 */
export async function checkJobs(
  registry: JobRegistry,
  given: readonly AnyJobToAdd[],
  callerRole: Role | undefined,
): Promise<NewJob[]> {
  const entries = validateNow(entriesSchema, given, 'The list of addJobs');
  const addable = new Map<string | JobContract, AddableJob>();
  const newJobs: NewJob[] = [];
  const issues: Issue[] = [];
  for (const [index, { name, job: given, input, options = {} }] of entries.entries()) {
    // A worker that adds many children must be able to renew its leases meanwhile.
    if (index % BATCH === BATCH - 1) await setImmediate();
    const kind = name ?? given;
    if (!isOne(name, given) || kind === undefined) throw notOne(index);
    const job = addable.get(kind) ?? (await registry.find(kind, callerRole));
    addable.set(kind, job);
    try {
      const newJob = await toNewJob(job, nameOf(kind), input, options);
      newJobs.push(newJob);
      for (const { path, message } of orderIssues(newJob, options))
        issues.push({ path: `${index}.options.${path}`, message });
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
 * How to write a batch. With `clock`, jobs may be inserted with its time. In a transaction, `clock` is undefined, because
 * inserting a taken id would abort the transaction.
 */
interface Writing extends JobWriting {
  readonly clock: ServerClock | undefined;
}

/**
 * Writes a batch. One command inserts the jobs whose unique keys are free, since a taken key would abort a transaction.
 * Another replaces the waiting jobs whose keys are taken. Another reads back jobs that were not inserted, so adding the
 * same jobs again costs no more. Any left over, because of a concurrent writer or a running job, are written one by one.
 */
async function writeBatch(
  jobs: Collection<JobDocument>,
  batch: readonly NewJob[],
  writing: Writing,
): Promise<AddedJob[]> {
  const { session } = writing;
  const held = await findHolders(jobs, batch, writing);
  const inserted = await insertJobs(jobs, batch.filter(firstOfTheirPlaces(held.keys())), writing);
  const holders = new Map(held);
  for (const job of inserted.values()) if (isKeyed(job)) holders.set(placeOf(job), asHolder(job));
  const others = batch
    .filter((job) => !inserted.has(job))
    .map((job) => ({ job, holder: holderOf(job, holders) }));
  const replacing = others.filter(isReplacing);
  const replaced = await replaceMany(jobs, replacing, session);
  for (const key of await findLost(jobs, replacing, session)) writing.lost.add(key);
  const unheld = others.filter(({ holder }) => holder === undefined).map(({ job }) => job);
  const same = await findSame(jobs, unheld, session);
  const added: AddedJob[] = [];
  for (const job of batch) {
    const holder = holderOf(job, holders);
    if (inserted.has(job)) added.push(asAdded(job));
    else if (replaced.has(job) && holder)
      added.push({ id: holder._id, outcome: 'replaced', inputDiffers: false });
    else if (same.has(job)) added.push({ id: job.id, outcome: 'kept', inputDiffers: false });
    else if (holder && staysAsItIs(holder, job)) added.push(asKept(holder, job, writing));
    else added.push(await writeJob(jobs, job, writing));
  }
  return added;
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

/** Finds the jobs that already hold these unique keys. Returns them by `placeOf`. */
async function findHolders(
  jobs: Collection<JobDocument>,
  batch: readonly NewJob[],
  { session, withInput }: JobWriting,
): Promise<Map<string, KeyHolder>> {
  const keysByName = new Map<string, Set<string>>();
  for (const { jobName, uniqueKey } of batch) {
    if (uniqueKey === undefined) continue;
    const keys = keysByName.get(jobName) ?? new Set();
    keysByName.set(jobName, keys.add(uniqueKey));
  }
  if (keysByName.size === 0) return new Map();
  const held = [...keysByName].map(([jobName, keys]) => ({ jobName, uniqueKey: { $in: [...keys] } }));
  const projection = {
    ...holderFields,
    ...(batch.some(replaces) && { limits: 1 }),
    ...(withInput && { input: 1 }),
  };
  const options = { projection, batchSize: batch.length + 1, ...(session && { session }) };
  const find = (hint: IndexHint) => jobs.find({ $or: held }, { ...options, ...hint }).toArray();
  const found = await byIndex(jobs, uniqueKeyIndex, find, session);
  return new Map(found.map((holder) => [placeOf(holder), holder]));
}

const holderFields = { jobName: 1, uniqueKey: 1, uniqueUntil: 1, status: 1 } as const;

/** A job that has a unique key. */
type KeyHolder = Holder & Pick<JobDocument, 'uniqueKey' | 'uniqueUntil' | 'limits'>;

function asHolder({ id, jobName, uniqueKey, input }: KeyedJob): KeyHolder {
  return { _id: id, jobName, uniqueKey, input, status: 'queued' };
}

function holderOf(job: NewJob, holders: ReadonlyMap<string, KeyHolder>): KeyHolder | undefined {
  return job.uniqueKey === undefined ? undefined : holders.get(placeOf(job));
}

/** Returns whether the holder keeps its key, and the job leaves the holder unchanged. */
function staysAsItIs({ status, uniqueUntil }: KeyHolder, job: NewJob): boolean {
  return status === 'queued' ? !replaces(job) : uniqueUntil === undefined;
}

function isReplacing(other: {
  readonly job: NewJob;
  readonly holder: KeyHolder | undefined;
}): other is Replacement {
  return isKeyed(other.job) && other.holder?.status === 'queued' && replaces(other.job);
}

function asAdded({ id }: NewJob): AddedJob {
  return { id, outcome: 'added', inputDiffers: false };
}

function asKept(holder: KeyHolder, job: NewJob, { withInput }: JobWriting): AddedJob {
  return { id: holder._id, outcome: 'kept', inputDiffers: withInput && !isSameJob(holder, job) };
}

/** Returns a string that identifies a unique key together with its job name. */
function placeOf({ jobName, uniqueKey }: Pick<NewJob, 'jobName' | 'uniqueKey'>): string {
  return JSON.stringify([jobName, uniqueKey]);
}

/**
 * Returns the jobs that are already stored with the same input. An earlier call, or an earlier try of this one, stored
 * them.
 */
async function findSame(
  jobs: Collection<JobDocument>,
  newJobs: readonly NewJob[],
  session: ClientSession | undefined,
): Promise<ReadonlySet<NewJob>> {
  if (newJobs.length === 0) return new Set();
  const found = await jobs
    .find(
      { _id: { $in: newJobs.map(({ id }) => id) } },
      { projection: comparedFields, batchSize: newJobs.length + 1, ...(session && { session }) },
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
