import type { Collection } from 'mongodb';
import type { EndedMember, MemberResult } from '../job/children.js';
import { memberId } from '../job/group.js';
import { failedIn } from '../job/group-statements.js';
import { membersIndex } from '../job/indexes.js';
import { isSettled, type JobDocument } from '../job/job.js';
import { byId, byIndex } from '../mongo/by-index.js';

/** Fields of a job of a group that tell how it ended. */
export const resultFields = { status: 1, output: 1, errors: { $slice: -1 } } as const;

export type ReadMember = Pick<JobDocument, '_id' | 'status' | 'output' | 'errors'>;

/**
 * Returns how jobs of a group ended, starting at a number. A job that is gone or not settled counts as cancelled. Costs one
 * command. MongoDB ends its reply at 16 MB, so the result may have fewer jobs than asked for, but at least one.
 */
export async function readMembers(
  jobs: Collection<JobDocument>,
  id: string,
  from: number,
  count: number,
): Promise<MemberResult[]> {
  const ids = Array.from({ length: count }, (_, index) => memberId(id, from + index));
  const options = { projection: resultFields, sort: { _id: 1 }, batchSize: count + 1, ...byId } as const;
  const cursor = jobs.find<ReadMember>({ _id: { $in: ids } }, options);
  try {
    await cursor.hasNext();
    const hasMore = cursor.id?.isZero() === false;
    const found = cursor.readBufferedDocuments();
    const byJobId = new Map(found.map((job) => [job._id, job]));
    const read = hasMore ? ids.slice(0, ids.indexOf(found.at(-1)?._id ?? '') + 1) : ids;
    return read.map((id, index) => toResult(byJobId.get(id), id, from + index));
  } finally {
    await cursor.close();
  }
}

/** Returns the jobs of a group that failed first. */
export async function findFailures(
  jobs: Collection<JobDocument>,
  group: string,
  limit: number,
): Promise<EndedMember[]> {
  const options = { projection: resultFields, sort: { completed: 1 }, limit, batchSize: limit + 1 } as const;
  const found = await byIndex(jobs, membersIndex, (hint) =>
    jobs.find<ReadMember>(failedIn(group), { ...options, ...hint }).toArray(),
  );
  return found.flatMap(({ _id: id, status, errors }) => {
    const error = lastErrorOf(errors);
    return isSettled(status) ? [{ id, status, ...(error !== undefined && { error }) }] : [];
  });
}

/** Returns the message of a job's last error. */
export function lastErrorOf(errors: ReadMember['errors']): string | undefined {
  return errors.at(-1)?.message;
}

/** Returns how many jobs of a group failed or were cancelled. */
export function countFailed(jobs: Collection<JobDocument>, group: string): Promise<number> {
  return byIndex(jobs, membersIndex, (hint) => jobs.countDocuments(failedIn(group), hint));
}

function toResult(job: ReadMember | undefined, id: string, index: number): MemberResult {
  if (job?.status === 'completed') return { index, id, status: 'completed', output: job.output };
  if (job?.status === 'error')
    return { index, id, status: 'error', error: lastErrorOf(job.errors) ?? 'unknown' };
  return { index, id, status: 'cancelled', error: job ? `It is ${job.status}.` : 'It was removed.' };
}
