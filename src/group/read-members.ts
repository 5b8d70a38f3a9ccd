import type { Collection } from 'mongodb';
import type { EndedMember, MemberResult } from '../job/children.js';
import { memberId } from '../job/group.js';
import { failedIn } from '../job/group-statements.js';
import { membersIndex } from '../job/indexes.js';
import { isSettled, type JobDocument } from '../job/job.js';
import { byId, byIndex } from '../mongo/by-index.js';

const fields = { status: 1, output: 1, errors: { $slice: -1 } } as const;

type Read = Pick<JobDocument, '_id' | 'status' | 'output' | 'errors'>;

/** Returns how jobs of a group ended, from a number on. One that is gone or not settled counts as cancelled. */
export async function readMembers(
  jobs: Collection<JobDocument>,
  id: string,
  from: number,
  count: number,
): Promise<MemberResult[]> {
  const ids = Array.from({ length: count }, (_, index) => memberId(id, from + index));
  const found = await jobs.find<Read>({ _id: { $in: ids } }, { projection: fields, ...byId }).toArray();
  const byJobId = new Map(found.map((job) => [job._id, job]));
  return ids.map((id, index) => toResult(byJobId.get(id), id, from + index));
}

/** Returns the job of a group that failed first. */
export async function firstFailure(
  jobs: Collection<JobDocument>,
  group: string,
): Promise<EndedMember | undefined> {
  const options = { projection: fields, sort: { completed: 1 } } as const;
  const job = await byIndex(jobs, membersIndex, (hint) =>
    jobs.findOne<Read>(failedIn(group), { ...options, ...hint }),
  );
  if (!job || !isSettled(job.status)) return undefined;
  const error = job.errors.at(-1)?.message;
  return { id: job._id, status: job.status, ...(error !== undefined && { error }) };
}

/** Returns how many jobs of a group failed or were cancelled. */
export function countFailed(jobs: Collection<JobDocument>, group: string): Promise<number> {
  return byIndex(jobs, membersIndex, (hint) => jobs.countDocuments(failedIn(group), hint));
}

function toResult(job: Read | undefined, id: string, index: number): MemberResult {
  if (job?.status === 'completed') return { index, id, status: 'completed', output: job.output };
  if (job?.status === 'error')
    return { index, id, status: 'error', error: job.errors.at(-1)?.message ?? 'unknown' };
  return { index, id, status: 'cancelled', error: job ? `It is ${job.status}.` : 'It was removed.' };
}
