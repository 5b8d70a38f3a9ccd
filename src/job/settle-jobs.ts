import type { AnyBulkWriteOperation, Collection, Document, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { completeAttempt, endAttempt } from './end-attempt.js';
import { isNotAhead } from './is-not-ahead.js';
import type { JobDocument, JobStatus } from './job.js';
import type { Settlement } from './outcome.js';
import { storeReport } from './report.js';

/** What became of the job; `stale` when the lease was somebody else's by then, and nothing was changed. */
export type SettledAs = JobStatus | 'stale';

/**
 * Writes down how attempts ended, and tells what became of each job, in the order given.
 *
 * One command for one; one for any number that completed; one more when others are among them, or when not
 * all matched. Those that completed and are not kept are deleted instead, by one command too, unless others are among them:
 * then the TTL removes them, within a minute. Every statement names its token. The whole may be tried again after an unknown outcome, which it has to
 * be when it held one of many jobs: the driver does not retry those.
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
  const filters = toBeCompletedByClaim(settlements).map((each) => ({ ...each, $expr: isNotAhead }));
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

/** One statement for those of a claim that returned nothing, as most jobs do that are called for what they effect. */
function toBulkOperations(settlements: readonly Settlement[]): AnyBulkWriteOperation<JobDocument>[] {
  const silent = settlements.filter(returnedNothing);
  const update = completeAttempt(null);
  return [
    ...toBeCompletedByClaim(silent).map((filter) => ({ updateMany: { filter, update, ...byId } })),
    ...settlements.filter((settlement) => !returnedNothing(settlement)).map(toBulkOperation),
  ];
}

function returnedNothing({ outcome, report }: Settlement): boolean {
  return outcome.kind === 'completed' && (outcome.output ?? null) === null && report === undefined;
}

/**
 * A completed attempt whose cancelling was asked for ends `cancelled`; the count that a bulk write returns
 * cannot tell the two apart. So it is left out here, and settled on its own after reading back.
 */
function toBulkOperation(settlement: Settlement): AnyBulkWriteOperation<JobDocument> {
  const { id, token, outcome } = settlement;
  if (outcome.kind !== 'completed')
    return { updateOne: { filter: leaseOf(settlement), update: endingOf(settlement), ...byId } };
  const update = [...reportOf(settlement), ...completeAttempt(outcome.output)];
  return { updateOne: { filter: { _id: id, ...toBeCompleted(token) }, update, ...byId } };
}

/** Finds the jobs of these settlements that may complete: a filter for each claim, whose jobs have its token. */
function toBeCompletedByClaim(settlements: readonly Settlement[]): Filter<JobDocument>[] {
  const tokens = [...new Set(settlements.map(({ token }) => token))];
  return tokens.map((token) => {
    const ids = settlements.filter((each) => each.token === token).map(({ id }) => id);
    return { _id: { $in: ids }, ...toBeCompleted(token) };
  });
}

function toBeCompleted(token: string): Filter<JobDocument> {
  return { ...leasedBy(token), cancelRequested: { $exists: false } };
}

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
