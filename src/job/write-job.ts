import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { BSON, type ClientSession, type Collection } from 'mongodb';
import { ConflictError } from '../errors.js';
import { byId, byIndex, type IndexHint } from '../mongo/by-index.js';
import { inOwnBson } from '../mongo/own-bson.js';
import { addUniqueJob, type Holder, type KeyedJob, replaces, type UniqueWrite } from './add-unique-job.js';
import { findJob } from './find-job.js';
import { uniqueKeyIndex } from './indexes.js';
import { type InsertResult, insertJob, type NewJob } from './insert-job.js';
import type { JobDocument } from './job.js';
import type { StepsState } from './step-log.js';

/** Result of adding a job. */
export interface AddedJob {
  /** Id of the job, or of the job that has its id or its unique key. */
  readonly id: string;
  /**
   * `added`: it is a new job. `replaced`: the waiting job with its unique key got the input and the options. `kept`: the
   * job with its id or its unique key stays as it is.
   */
  readonly outcome: 'added' | 'replaced' | 'kept';
  /** True if the job that is kept has another input. */
  readonly inputDiffers: boolean;
}

/**
 * Maximum number of tries. An id or key found taken may be freed before its holder is read, and then the insert is
 * repeated.
 */
const MAX_TRIES = 10;

/**
 * How long to wait for a worker to decide whether a job that it claimed may run. It needs some milliseconds, except if
 * it has crashed.
 */
const DECISION_MS = 1_000;

/** Maximum pause before looking for the decision again. */
const MAX_PAUSE_MS = 20;

/** How to write a job. */
export interface JobWriting {
  readonly session: ClientSession | undefined;
  /** Whether to tell if a job that is kept has another input. */
  readonly withInput: boolean;
  /** Gets the keys of the limits in which replaced jobs held places. */
  readonly lost: Set<string>;
}

/** Writes a checked job, or does what its unique key allows. */
export async function writeJob(
  jobs: Collection<JobDocument>,
  job: NewJob,
  writing: JobWriting,
): Promise<AddedJob> {
  return isKeyed(job) ? writeUnique(jobs, job, writing) : insert(jobs, job, writing.session);
}

export function isKeyed(job: NewJob): job is KeyedJob {
  return job.uniqueKey !== undefined;
}

async function insert(
  jobs: Collection<JobDocument>,
  job: NewJob,
  session: ClientSession | undefined,
): Promise<AddedJob> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const result = await insertJob(jobs, job, session);
    if (await isThere(result, jobs, job, session)) return inserted(job, result);
  }
  throw new ConflictError(
    job.id,
    `Jobs of the id '${job.id}' are added and removed faster than one can be read, or it is the id of something else.`,
  );
}

function inserted({ id }: NewJob, result: InsertResult): AddedJob {
  return { id, outcome: result === 'inserted' ? 'added' : 'kept', inputDiffers: false };
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

/** Adds a job with a unique key. Repeats the statement as long as the key is freed or taken in between. */
async function writeUnique(
  jobs: Collection<JobDocument>,
  job: KeyedJob,
  writing: JobWriting,
): Promise<AddedJob> {
  const impatientAt = performance.now() + DECISION_MS;
  for (let tries = 0; tries < MAX_TRIES; ) {
    const isImpatient = performance.now() > impatientAt;
    const write = await tryUnique(jobs, job, writing, isImpatient);
    const added = await toAdded(write, jobs, job, writing);
    if (write.kind === 'replaced') for (const key of write.lost) writing.lost.add(key);
    if (added) return added;
    if (write.kind === 'undecided') await wait(Math.random() * MAX_PAUSE_MS);
    else tries += 1;
  }
  throw new ConflictError(
    job.id,
    `The unique key '${job.uniqueKey}' is taken and freed faster than it can be read.`,
  );
}

function tryUnique(
  jobs: Collection<JobDocument>,
  job: KeyedJob,
  { session, withInput }: JobWriting,
  isImpatient: boolean,
): Promise<UniqueWrite> {
  if (session) return addInTransaction(jobs, job, { session, withInput });
  return addUniqueJob(jobs, job, { withInput, isImpatient });
}

/** Returns what became of the job. Undefined if the statement must be repeated. */
async function toAdded(
  write: UniqueWrite,
  jobs: Collection<JobDocument>,
  job: KeyedJob,
  { session, withInput }: JobWriting,
): Promise<AddedJob | undefined> {
  switch (write.kind) {
    case 'added':
      return inserted(job, 'inserted');
    case 'replaced':
      return { id: write.id, outcome: 'replaced', inputDiffers: false };
    case 'kept':
      return {
        id: write.holder._id,
        outcome: 'kept',
        inputDiffers: withInput && !isSameJob(write.holder, job),
      };
    case 'idExists':
      return (await isThere('idExists', jobs, job, session)) ? inserted(job, 'idExists') : undefined;
    case 'freed':
    case 'undecided':
    case 'keyTaken':
      return undefined;
  }
}

type InTransaction = Omit<JobWriting, 'lost'> & { readonly session: ClientSession };

/**
 * Adds a job in a transaction. Looks up the holder first, because a duplicate key would abort the transaction. A running
 * job loses its key outside of the transaction. Otherwise the transaction would hold up the worker that renews the job's
 * lease. If the transaction has seen the running job with its key, it ends with a write conflict, and the next transaction
 * adds the job.
 */
async function addInTransaction(
  jobs: Collection<JobDocument>,
  job: KeyedJob,
  { session, withInput }: InTransaction,
): Promise<UniqueWrite> {
  const holder = await findHolder(jobs, job, { session, withInput });
  if (holder === undefined) return asWrite(await insertJob(jobs, job, session));
  const isRunning = holder.status === 'processing' && holder.uniqueUntil === 'claimed';
  const mayChange = isRunning || holder.uniqueUntil instanceof Date || replaces(job);
  if (!mayChange) return { kind: 'kept', holder };
  if (isRunning) await freeKey(jobs, holder._id, job.uniqueKey);
  return addUniqueJob(jobs, job, { session, withInput, isImpatient: true });
}

async function findHolder(
  jobs: Collection<JobDocument>,
  { jobName, uniqueKey }: KeyedJob,
  { session, withInput }: InTransaction,
): Promise<(Holder & Pick<JobDocument, 'uniqueUntil'>) | undefined> {
  const projection = { jobName: 1, status: 1, uniqueUntil: 1, ...(withInput && { input: 1 }) };
  const find = (hint: IndexHint) => jobs.findOne({ jobName, uniqueKey }, { projection, session, ...hint });
  return (await byIndex(jobs, uniqueKeyIndex, find, session)) ?? undefined;
}

function asWrite(result: InsertResult): UniqueWrite {
  if (result === 'inserted') return { kind: 'added' };
  return { kind: result === 'idExists' ? 'idExists' : 'keyTaken' };
}

async function freeKey(jobs: Collection<JobDocument>, id: string, uniqueKey: string): Promise<void> {
  const running = { _id: id, status: 'processing', uniqueUntil: 'claimed', uniqueKey } as const;
  await jobs.updateOne(running, { $unset: { uniqueKey: '' } }, byId);
}

/**
 * Returns whether the stored job is the one being added, so that an earlier try added it. A stored job in a later run
 * counts too. It has another input now, but once had this one.
 */
export function isSameJob(stored: StoredJob | undefined, { jobName, input, group }: NewJob): boolean {
  if (stored?.jobName !== jobName || stored.group !== group) return false;
  const hasGoneOn = (stored.steps?.run ?? 1) > 1;
  return hasGoneOn || isDeepStrictEqual(asReadBack(stored.input), asReadBack(input));
}

/** The fields of a stored job that `isSameJob` reads. */
export const comparedFields = { jobName: 1, input: 1, group: 1, 'steps.run': 1 } as const;

type StoredJob = Pick<JobDocument, 'jobName' | 'input' | 'group'> & {
  readonly steps?: Pick<StepsState, 'run'>;
};

/**
 * Returns the input as the driver would read it. Some BSON values, such as Int32, come back as JavaScript values, and
 * others as classes of the driver's own copy.
 */
function asReadBack(input: unknown): unknown {
  return BSON.deserialize(BSON.serialize(inOwnBson({ input }), { ignoreUndefined: true })).input;
}
