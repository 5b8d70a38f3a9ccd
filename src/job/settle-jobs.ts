import type { AnyBulkWriteOperation, Collection, Document, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { completeAttempts, endAttempt } from './end-attempt.js';
import { isNotAhead } from './is-not-ahead.js';
import type { JobDocument, JobStatus } from './job.js';
import type { Completed, Settlement } from './outcome.js';
import { storeReport } from './report.js';

/** Outputs of so many bytes share a statement: far from MongoDB's limit of 16 MB, and more would save nothing. */
const MAX_SHARED_BYTES = 1024 * 1024;

/** What became of the job; `stale` when the lease was somebody else's by then, and nothing was changed. */
export type SettledAs = JobStatus | 'stale';

/**
 * Writes down how attempts ended, and tells what became of each job, in the order given.
 *
 * One command for one. One for any number, with one statement for all of a claim that completed; one more when others are
 * among them, or when not all matched. Those that completed and are not kept are deleted instead, by one command too, unless
 * others are among them: then the TTL removes them, within a minute. Every statement names its token. The whole may be tried
 * again after an unknown outcome, which it has to be: the driver does not retry statements for many jobs.
 */
export async function settleJobs(
  jobs: Collection<JobDocument>,
  settlements: readonly Settlement[],
): Promise<SettledAs[]> {
  if (settlements.length > 0 && settlements.every(isDeletable)) return deleteJobs(jobs, settlements);
  if (settlements.length < 2)
    return Promise.all(settlements.map((settlement) => settleJob(jobs, settlement)));
  const { matchedCount } = await jobs.bulkWrite(toBulkOperations(settlements), { ordered: false });
  const allCompleted = settlements.every(({ outcome }) => outcome.kind === 'completed');
  if (allCompleted && matchedCount === settlements.length) return settlements.map(() => 'completed');
  return readBack(jobs, settlements);
}

async function settleJob(jobs: Collection<JobDocument>, settlement: Settlement): Promise<SettledAs> {
  const after = await jobs.findOneAndUpdate(leaseOf(settlement), endingOf(settlement), {
    returnDocument: 'after',
    projection: { status: 1 },
    ...byId,
  });
  return after?.status ?? settledBefore(jobs, settlement);
}

function isDeletable({ outcome, isDeletedWhenCompleted }: Settlement): boolean {
  return outcome.kind === 'completed' && isDeletedWhenCompleted === true;
}

/**
 * Deletes jobs that completed, all by one command. One that was made ahead of its occurrence, and ended before it, has to
 * stay until then, as in remove-jobs.ts: it is settled, like those that are to be cancelled.
 */
async function deleteJobs(
  jobs: Collection<JobDocument>,
  settlements: readonly Settlement[],
): Promise<SettledAs[]> {
  const filters = byClaim(settlements).map((claim) => ({ ...toBeCompleted(claim), $expr: isNotAhead }));
  const [filter = {}] = filters;
  // The driver tries again a delete of one, and none of many.
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

/** An earlier try whose outcome was unknown may have settled it: then the lease is gone, and its token is the last. */
async function settledBefore(jobs: Collection<JobDocument>, { id, token }: Settlement): Promise<SettledAs> {
  const job = await jobs.findOne({ _id: id, lastToken: token }, { projection: { status: 1 }, ...byId });
  return job?.status ?? 'stale';
}

interface CompletedSettlement extends Settlement {
  readonly outcome: Completed;
}

/** One statement for all of a claim that completed, one for each other. */
function toBulkOperations(settlements: readonly Settlement[]): AnyBulkWriteOperation<JobDocument>[] {
  const sharing = settlements.filter(isCompletedWithoutReport);
  const others = settlements.filter((settlement) => !isCompletedWithoutReport(settlement));
  return [
    ...byClaim(sharing).flatMap(sliceBySize).map(toSharedOperation),
    ...others.map((settlement) => {
      const filter = { ...leaseOf(settlement), ...(isCompleted(settlement) && unlessToBeCancelled) };
      return { updateOne: { filter, update: endingOf(settlement), ...byId } };
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
  return { updateMany: { filter: toBeCompleted(settlements), update: completeAttempts(outputs), ...byId } };
}

/** Slices whose outputs may share a statement. */
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

/** All that are of one claim have its token. */
function byClaim<Each extends Settlement>(settlements: readonly Each[]): Each[][] {
  const claims = new Map<string, Each[]>();
  for (const settlement of settlements) {
    const claim = claims.get(settlement.token);
    if (claim) claim.push(settlement);
    else claims.set(settlement.token, [settlement]);
  }
  return [...claims.values()];
}

/** @param settlements of one claim */
function toBeCompleted(settlements: readonly Settlement[]): Filter<JobDocument> {
  const [{ token } = { token: '' }] = settlements;
  return { _id: { $in: settlements.map(({ id }) => id) }, ...leasedBy(token), ...unlessToBeCancelled };
}

/**
 * A completed attempt whose cancelling was asked for ends `cancelled`; the count that a bulk write returns
 * cannot tell the two apart. So it is left out, and settled on its own after reading back.
 */
const unlessToBeCancelled = { cancelRequested: { $exists: false } };

function endingOf(settlement: Settlement): Document[] {
  return [...reportOf(settlement), ...endAttempt(settlement.outcome)];
}

function reportOf({ report }: Settlement): Document[] {
  return report ? storeReport(report) : [];
}

function leaseOf({ id, token }: Settlement): Filter<JobDocument> {
  return { _id: id, ...leasedBy(token) };
}

function leasedBy(token: string): Filter<JobDocument> {
  return { status: 'processing', 'lease.token': token };
}

/**
 * `lastToken` tells what the bulk settled; what it did not is settled one at a time, or stale. One that is to be deleted,
 * and gone, is completed: this try or an earlier one deleted it, or a later attempt. A lost lease leaves the job there.
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
      return document?.lastToken === settlement.token ? document.status : settleJob(jobs, settlement);
    }),
  );
}
