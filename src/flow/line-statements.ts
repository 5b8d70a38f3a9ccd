import type { Collection, Document } from 'mongodb';
import { anyTurn, type HeldSlot, isOrder, isTurn, type JobLimit } from '../job/flow-rules.js';
import { blockedJobs, slotIndex } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { unlessAlone } from '../job/leave-processing.js';
import { claimOrder } from '../job/queued-jobs.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import type { FlowCollections } from './limit-document.js';
import { type FoundSetting, settingFields } from './limit-settings.js';

/** A job at the head of a line, with the fields that are needed to give it a place. */
export type BlockedJob = Required<Pick<JobDocument, '_id' | 'jobName' | 'queue' | 'blockedBy' | 'limits'>> &
  Pick<JobDocument, 'slots'> & {
    /** How long it has been in this line. */
    readonly waitedMs: number;
  };

/**
 * Moment at which a blocked job came into its line. It is the latest of these: the claim that met the limit, the place
 * that it got in its last limit, and its addition.
 */
const inLineSince = { $max: ['$queued', '$picked', { $max: { $ifNull: ['$slots.at', []] } }] };

const fields = {
  ...{ jobName: 1, queue: 1, blockedBy: 1, limits: 1, slots: 1 },
  waitedMs: { $subtract: ['$$NOW', inLineSince] },
} as const;

/** The taken places of each limit, by its key. */
export type TakenSlots = ReadonlyMap<string, ReadonlySet<number>>;

/** Finds which places of these limits are taken. Costs one command, which reads one key per taken place. */
export async function findTakenSlots(
  jobs: Collection<JobDocument>,
  keys: readonly string[],
): Promise<TakenSlots> {
  return takenBy(await findSlotHolders(jobs, keys), keys);
}

/** Finds the jobs that hold places in these limits, by the command of `findTakenSlots`. */
export async function findSlotHolders<Field extends keyof JobDocument = never>(
  jobs: Collection<JobDocument>,
  keys: readonly string[],
  projection?: Record<Field, 1>,
): Promise<Pick<JobDocument, '_id' | 'slots' | Field>[]> {
  if (keys.length === 0) return [];
  const holders = {
    'slots.key': { $in: [...keys] },
    status: { $in: slotIndex.partialFilterExpression.status.$in },
  };
  return byIndex(jobs, slotIndex, (hint) =>
    jobs.find(holders, { projection: { slots: 1, ...projection }, batchSize: 10_000, ...hint }).toArray(),
  );
}

/** Returns the places of these limits that the jobs hold. */
export function takenBy(holders: readonly Pick<JobDocument, 'slots'>[], keys: readonly string[]): TakenSlots {
  const taken = new Map<string, Set<number>>(keys.map((key) => [key, new Set()]));
  for (const { slots = [] } of holders) for (const { key, number } of slots) taken.get(key)?.add(number);
  return taken;
}

/** The first jobs in some lines, and what people have set for their limits. */
interface Heads {
  readonly heads: BlockedJob[];
  readonly set: FoundSetting[];
}

/**
 * Finds the first jobs in the line of each limit, and what people have set for these limits now, by one command.
 *
 * @param perLine how many jobs of each line
 */
export async function findHeads(
  { jobs, limits }: Pick<FlowCollections, 'jobs' | 'limits'>,
  keys: readonly string[],
  perLine: number,
  pausedQueues: readonly string[] = [],
): Promise<Heads> {
  const settings = [{ $match: { _id: { $in: [...keys] } } }, { $project: settingFields }];
  const found = await askLines<BlockedJob | FoundSetting>(
    jobs,
    keys,
    perLine + 1,
    (key) => headsOf(key, perLine, pausedQueues),
    [{ $unionWith: { coll: limits.collectionName, pipeline: settings } }],
  );
  return { heads: found.filter(isHead), set: found.filter((each) => !isHead(each)) };
}

function isHead(found: BlockedJob | FoundSetting): found is BlockedJob {
  return 'blockedBy' in found;
}

/**
 * Asks all these lines by one command. It must stay below MongoDB's limit of 1000 stages.
 *
 * @param perLine how many results a line gives at most
 * @param stagesOf returns the stages for the line of a limit. The first stage selects the line
 * @param andThen further stages
 */
export async function askLines<Result extends Document>(
  jobs: Collection<JobDocument>,
  keys: readonly string[],
  perLine: number,
  stagesOf: (key: string) => Document[],
  andThen: readonly Document[] = [],
): Promise<Result[]> {
  const [first, ...others] = keys.map(stagesOf);
  if (first === undefined) return [];
  const unions = others.map((pipeline) => ({ $unionWith: { coll: jobs.collectionName, pipeline } }));
  const batchSize = keys.length * perLine + 1;
  return byIndex(jobs, blockedJobs, (hint) =>
    jobs.aggregate<Result>([...first, ...unions, ...andThen], { batchSize, ...hint }).toArray(),
  );
}

/** Finds the next key that takes turns and has jobs in line, after a given key. Returns the limit of such a job. */
export async function findTurnAfter(
  jobs: Collection<JobDocument>,
  after: string,
): Promise<JobLimit | undefined> {
  const inLine = { blockedBy: { ...anyTurn, $gt: after }, status: 'queued' as const };
  const options = { sort: { blockedBy: 1, ...claimOrder }, projection: { blockedBy: 1, limits: 1 } } as const;
  const found = await byIndex(jobs, blockedJobs, (hint) => jobs.findOne(inLine, { ...options, ...hint }));
  return found?.limits?.find(({ key }) => key === found.blockedBy);
}

function headsOf(key: string, limit: number, pausedQueues: readonly string[]): Document[] {
  const inLine = { blockedBy: key, status: 'queued', ...unpaused(key, pausedQueues) };
  return [{ $match: inLine }, { $sort: claimOrder }, { $limit: limit }, { $project: fields }];
}

/** Passes over jobs of paused queues. In a strict order, such jobs hold up the order, so they are not passed over. */
function unpaused(key: string, pausedQueues: readonly string[]): Document {
  return pausedQueues.length > 0 && !isOrder(key) ? { queue: { $nin: [...pausedQueues] } } : {};
}

/** A place for a blocked job. `next` is the limit that it waits for after this one, if any. */
export interface Placement {
  readonly job: BlockedJob;
  readonly slot: HeldSlot;
  readonly next: string | undefined;
}

/**
 * Gives places to blocked jobs. Returns the placements whose place nobody else took, and whether all of the jobs still
 * waited.
 */
export async function place(
  jobs: Collection<JobDocument>,
  placements: readonly Placement[],
): Promise<{ readonly given: readonly Placement[]; readonly areCertain: boolean }> {
  if (placements.length === 0) return { given: [], areCertain: true };
  const statements = placements.map(({ job: { _id, blockedBy }, slot, next }) => ({
    updateOne: {
      filter: { _id, status: 'queued' as const, blockedBy },
      update: [{ $set: putInto(slot, next) }],
      ...byId,
    },
  }));
  const result = await jobs.bulkWrite(statements, { ordered: false }).catch(resultDespiteTakenKeys);
  const refused = new Set(result.getWriteErrors().map(({ index }) => index));
  const given = placements.filter((_, index) => !refused.has(index));
  return { given, areCertain: result.matchedCount === given.length };
}

/**
 * Gives a free place to the first job in its line, by one command, if the job waits for this limit only. Returns the job
 * as it was, if there is one and nobody took the place. See `waitsOnlyFor`.
 */
export async function placeFirst(
  jobs: Collection<JobDocument>,
  slot: HeldSlot,
  pausedQueues: readonly string[],
): Promise<BlockedJob | undefined> {
  const inLine = { blockedBy: slot.key, status: 'queued' as const, ...unpaused(slot.key, pausedQueues) };
  const found = await byIndex(jobs, blockedJobs, (hint) =>
    jobs.findOneAndUpdate(inLine, ifItWaitsOnlyFor(slot, putInto(slot, undefined)), {
      sort: claimOrder,
      returnDocument: 'before',
      projection: fields,
      ...hint,
    }),
  );
  const { blockedBy, limits } = found ?? {};
  if (!found || blockedBy === undefined || !limits) return undefined;
  const waitedMs = 'waitedMs' in found ? Number(found.waitedMs) : 0;
  return { ...found, blockedBy, limits, waitedMs };
}

/** Whether a blocked job waits for no other limit, and its own limit has this place. */
export function waitsOnlyFor({ limits }: BlockedJob, { number }: HeldSlot): boolean {
  const [only, ...others] = limits;
  return only !== undefined && others.length === 0 && number < only.limit;
}

/** Makes changes depend on `waitsOnlyFor`. The first job in line must not be passed over, whatever it waits for. */
function ifItWaitsOnlyFor({ number }: HeldSlot, changes: Document): Document[] {
  const condition = {
    $and: [{ $eq: [{ $size: '$limits' }, 1] }, { $gt: [{ $first: '$limits.limit' }, number] }],
  };
  const conditional = Object.entries(changes).map(([field, value]) => [
    field,
    { $cond: [condition, value, `$${field}`] },
  ]);
  return [{ $set: Object.fromEntries(conditional) }];
}

/**
 * Returns the changes that give a job a place. A job whose turn has come stands behind the jobs whose turn came before,
 * whatever their keys are.
 *
 * @param next the limit that it waits for after this one, if any
 */
function putInto({ key, number }: HeldSlot, next: string | undefined): Document {
  const place = { key: { $literal: key }, number, ...(next !== undefined && { at: '$$NOW' }) };
  const slots = { $concatArrays: [{ $ifNull: ['$slots', []] }, [place]] };
  const changes = {
    slots,
    ...(isTurn(key) && { runAt: '$$NOW' }),
    ...(isOrder(key) && { runAt: atMostNow }),
  };
  return next === undefined
    ? { ...changes, claimable: unlessAlone, blockedBy: '$$REMOVE' }
    : { ...changes, claimable: false, blockedBy: { $literal: next } };
}

/**
 * The earlier of `runAt` and now. A strict order gives jobs that are added at the same moment a `runAt` some
 * milliseconds ahead.
 */
const atMostNow = { $min: ['$runAt', '$$NOW'] };
