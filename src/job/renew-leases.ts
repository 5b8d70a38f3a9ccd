import type { Collection, Document, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { isUnknownOutcome } from '../mongo/unreachable.js';
import type { HeldLease, JobDocument } from './job.js';
import { toStatement } from './record-reports.js';
import type { LeasedReport } from './report.js';

/**
 * The result of a renewal: whether it succeeded, and the leases to let go of (job to be cancelled, or held by another
 * worker).
 */
export interface RenewalResult {
  /** False if the outcome of the renewal is unknown. */
  readonly renewed: boolean;
  readonly cancelled: readonly HeldLease[];
  readonly lost: readonly HeldLease[];
}

/**
 * Renews all leases of an invocation in one command. If the command matched fewer leases than are held, a second command
 * reads which leases were not renewed, and why.
 *
 * The lease of a job that is to be cancelled is not renewed, and its worker is told. If the worker does not end the job
 * before the lease expires, recovery does.
 *
 * @param reports reports of jobs under these leases, stored by the same command
 */
export async function renewLeases(
  jobs: Collection<JobDocument>,
  held: readonly HeldLease[],
  leaseMs: number,
  reports: readonly LeasedReport[] = [],
): Promise<RenewalResult> {
  if (held.length === 0) return { renewed: true, cancelled: [], lost: [] };
  const mine: Filter<JobDocument> = {
    _id: { $in: held.map(({ id }) => id) },
    status: 'processing',
    'lease.token': { $in: [...new Set(held.map(({ token }) => token))] },
  };
  const filter = { ...mine, cancelRequested: { $exists: false } };
  const matched = await write(jobs, filter, renewal(leaseMs), reports);
  if (matched === held.length + reports.length) return { renewed: true, cancelled: [], lost: [] };
  return { renewed: matched !== UNKNOWN, ...(await readBack(jobs, mine, held)) };
}

function renewal(leaseMs: number): Document[] {
  return [{ $set: { 'lease.expires': { $add: ['$$NOW', leaseMs] } } }];
}

const UNKNOWN = -1;

/** Returns how many documents matched, or UNKNOWN. The count includes matches of reports. */
async function write(
  jobs: Collection<JobDocument>,
  filter: Filter<JobDocument>,
  update: Document[],
  reports: readonly LeasedReport[],
): Promise<number> {
  try {
    if (reports.length === 0) return (await jobs.updateMany(filter, update, byId)).matchedCount;
    const statements = [{ updateMany: { filter, update, ...byId } }, ...reports.map(toStatement)];
    return (await jobs.bulkWrite(statements, { ordered: false })).matchedCount;
  } catch (error) {
    if (isUnknownOutcome(error)) return UNKNOWN;
    throw error;
  }
}

async function readBack(
  jobs: Collection<JobDocument>,
  mine: Filter<JobDocument>,
  held: readonly HeldLease[],
): Promise<Omit<RenewalResult, 'renewed'>> {
  const projection = { 'lease.token': 1, cancelRequested: 1 };
  const documents = await jobs.find(mine, { projection, ...byId }).toArray();
  const documentById = new Map(documents.map((document) => [document._id, document]));
  const isMine = ({ id, token }: HeldLease) => documentById.get(id)?.lease?.token === token;
  return {
    lost: held.filter((lease) => !isMine(lease)),
    cancelled: held.filter(
      (lease) => isMine(lease) && documentById.get(lease.id)?.cancelRequested !== undefined,
    ),
  };
}
