import type { AnyBulkWriteOperation, Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';
import { type LeasedReport, storeReport } from './report.js';

/** Stores reports of running jobs in one command. Does not change a job whose lease now belongs to another worker. */
export async function recordReports(
  jobs: Collection<JobDocument>,
  reports: readonly LeasedReport[],
): Promise<void> {
  await jobs.bulkWrite(reports.map(toStatement), { ordered: false });
}

/** Returns a statement that is safe to repeat. */
export function toStatement({ id, token, report }: LeasedReport): AnyBulkWriteOperation<JobDocument> {
  const filter = { _id: id, status: 'processing' as const, 'lease.token': token };
  return { updateOne: { filter, update: storeReport(report), ...byId } };
}
