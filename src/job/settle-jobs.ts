import type { AnyBulkWriteOperation, ClientSession, Collection, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { completeAttempts, endAttempt } from './end-attempt.js';
import { isNotAhead } from './is-not-ahead.js';
import type { JobDocument, JobStatus } from './job.js';
import type { Completed, Settlement } from './outcome.js';

/**
 * Maximum size of outputs that share a statement. Far below MongoDB's limit of 16 MB. A larger limit would save
 * nothing.
 */
const MAX_SHARED_BYTES = 1024 * 1024;

/** The job's new status. `stale` means that another worker held the lease and nothing was changed. */
export type SettledAs = JobStatus | 'stale';

/**
 * Records how attempts ended, and returns each job's new status in the given order.
 *
 * Any number of attempts costs one command, with one statement for all that completed from the same claim. A second command
 * is needed if some did not complete, or if not all matched. If all completed and none is to be kept, one command deletes
 * the jobs instead. If only some are not to be kept, they are settled with the others, and the TTL index removes them
 * within a minute. Every statement names its token. After an unknown outcome the caller must repeat the whole call, since
 * the driver does not retry updates of many jobs. Repeating is safe.
 */
export async function settleJobs(
  jobs: Collection<JobDocument>,
  settlements: readonly Settlement[],
): Promise<SettledAs[]> {
  if (settlements.length > 0 && settlements.every(isDeletable)) return deleteJobs(jobs, settlements);
  if (settlements.length < 2)
    return Promise.all(settlements.map((settlement) => settleJob(jobs, settlement)));
  const { matchedCount } = await jobs.bulkWrite(toBulkOperations(settlements), { ordered: false });
  if (matchedCount < settlements.length) return readBack(jobs, settlements);
  const known = settlements.flatMap(({ outcome }) => statusAfter(outcome) ?? []);
  return known.length === settlements.length ? known : readBack(jobs, settlements);
}

/** Returns the status that a statement which matched has set, or undefined if the stored job decided it. */
function statusAfter({ kind }: Settlement['outcome']): JobStatus | undefined {
  if (kind === 'completed') return 'completed';
  return kind === 'stepped' ? 'processing' : undefined;
}

async function settleJob(jobs: Collection<JobDocument>, settlement: Settlement): Promise<SettledAs> {
  return (await settleOne(jobs, settlement)) ?? settledBefore(jobs, settlement);
}

/**
 * Records how an attempt ended in a transaction of the caller, and returns the job's new status.
 *
 * @throws the driver's errors. A conflict with another transaction ends the caller's transaction
 */
export async function settleInSession(
  jobs: Collection<JobDocument>,
  settlement: Settlement,
  session: ClientSession,
): Promise<SettledAs> {
  return (await settleOne(jobs, settlement, { session })) ?? 'stale';
}

/** Returns the job's new status, or undefined if its lease is not this one. */
async function settleOne(
  jobs: Collection<JobDocument>,
  settlement: Settlement,
  inSession: { readonly session?: ClientSession } = {},
): Promise<JobStatus | undefined> {
  const options = { returnDocument: 'after', projection: { status: 1 }, ...inSession, ...byId } as const;
  return (await jobs.findOneAndUpdate(leaseOf(settlement), endAttempt(settlement), options))?.status;
}

function isDeletable({ outcome, isDeletedWhenCompleted }: Settlement): boolean {
  return outcome.kind === 'completed' && isDeletedWhenCompleted === true;
}

/**
 * Deletes completed jobs by one command. Two sorts of jobs are settled instead: a job that is to be cancelled, and a job
 * made ahead that ended before its occurrence, and must stay until then (see remove-jobs.ts).
 */
async function deleteJobs(
  jobs: Collection<JobDocument>,
  settlements: readonly Settlement[],
): Promise<SettledAs[]> {
  const filters = byClaim(settlements).map((claim) => ({ ...toBeCompleted(claim), $expr: isNotAhead }));
  const [filter = {}] = filters;
  // The driver retries a delete of one document, but not of many.
  const { deletedCount } =
    settlements.length === 1
      ? await jobs.deleteOne(filter, byId)
      : await jobs.bulkWrite(
          filters.map((each) => ({ deleteMany: { filter: each, ...byId } })),
          { ordered: false },
        );
  return deletedCount === settlements.length
    ? settlements.map(() => 'completed')
    : readBack(jobs, settlements);
}

/**
 * Returns the status that an earlier try with unknown outcome set. The job then has no lease, but `lastToken` is this
 * token.
 */
async function settledBefore(jobs: Collection<JobDocument>, { id, token }: Settlement): Promise<SettledAs> {
  const job = await jobs.findOne({ _id: id, lastToken: token }, { projection: { status: 1 }, ...byId });
  return job?.status ?? 'stale';
}

interface CompletedSettlement extends Settlement {
  readonly outcome: Completed;
}

/** Returns one statement for all completed attempts of a claim, and one for each other attempt. */
function toBulkOperations(settlements: readonly Settlement[]): AnyBulkWriteOperation<JobDocument>[] {
  const sharing = settlements.filter(isCompletedWithoutReport);
  const others = settlements.filter((settlement) => !isCompletedWithoutReport(settlement));
  return [
    ...byClaim(sharing).flatMap(sliceBySize).map(toSharedOperation),
    ...others.map((settlement) => {
      const filter = { ...leaseOf(settlement), ...(isCompleted(settlement) && unlessToBeCancelled) };
      return { updateOne: { filter, update: endAttempt(settlement), ...byId } };
    }),
  ];
}

function isCompleted(settlement: Settlement): settlement is CompletedSettlement {
  return settlement.outcome.kind === 'completed';
}

function isCompletedWithoutReport(settlement: Settlement): settlement is CompletedSettlement {
  return isCompleted(settlement) && settlement.report === undefined;
}

function toSharedOperation(settlements: readonly CompletedSettlement[]): AnyBulkWriteOperation<JobDocument> {
  const outputs = settlements.map(({ id, outcome }) => ({ id, output: outcome.output }));
  const havePeriods = settlements.some(({ hasPeriod }) => hasPeriod);
  const update = completeAttempts(outputs, havePeriods);
  return { updateMany: { filter: toBeCompleted(settlements), update, ...byId } };
}

/** Returns slices of completed attempts whose outputs may share a statement. */
function sliceBySize(settlements: readonly CompletedSettlement[]): CompletedSettlement[][] {
  const slices: CompletedSettlement[][] = [];
  let left = 0;
  for (const settlement of settlements) {
    left -= settlement.outcome.outputBytes;
    const slice = left < 0 ? undefined : slices.at(-1);
    if (slice) slice.push(settlement);
    else {
      slices.push([settlement]);
      left = MAX_SHARED_BYTES - settlement.outcome.outputBytes;
    }
  }
  return slices;
}

/** Groups settlements by claim. All jobs of a claim have its token. */
function byClaim<Each extends Settlement>(settlements: readonly Each[]): Each[][] {
  const claims = new Map<string, Each[]>();
  for (const settlement of settlements) {
    const claim = claims.get(settlement.token);
    if (claim) claim.push(settlement);
    else claims.set(settlement.token, [settlement]);
  }
  return [...claims.values()];
}

/** Matches the jobs of one claim that can be completed. @param settlements of one claim */
function toBeCompleted(settlements: readonly Settlement[]): Filter<JobDocument> {
  const [{ token } = { token: '' }] = settlements;
  return { _id: { $in: settlements.map(({ id }) => id) }, ...leasedBy(token), ...unlessToBeCancelled };
}

/**
 * Leaves out jobs that are to be cancelled. A completed attempt ends such a job as `cancelled`, and the count of a bulk
 * write cannot tell the two statuses apart. So such a job is settled on its own after reading back.
 */
const unlessToBeCancelled = { cancelRequested: { $exists: false } };

function leaseOf({ id, token }: Settlement): Filter<JobDocument> {
  return { _id: id, ...leasedBy(token) };
}

function leasedBy(token: string): Filter<JobDocument> {
  return { status: 'processing', 'lease.token': token };
}

/**
 * Finds by `lastToken` which jobs the bulk write settled, and settles the others one by one, except stale ones. A job to be
 * deleted that is gone counts as completed. This try, an earlier try or a later attempt has deleted it.
 */
async function readBack(
  jobs: Collection<JobDocument>,
  settlements: readonly Settlement[],
): Promise<SettledAs[]> {
  const ids = settlements.map(({ id }) => id);
  const documents = await jobs
    .find({ _id: { $in: ids } }, { projection: { status: 1, lastToken: 1 } })
    .toArray();
  const documentById = new Map(documents.map((document) => [document._id, document]));
  return Promise.all(
    settlements.map((settlement) => {
      const document = documentById.get(settlement.id);
      if (document === undefined && isDeletable(settlement)) return 'completed';
      // A step is stored again, for nothing shows that it is stored.
      return document?.lastToken === settlement.token ? document.status : settleJob(jobs, settlement);
    }),
  );
}
