import type { ClientSession, Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { type Holder, type KeyedJob, lostKeys, replaceWaiting } from './add-unique-job.js';
import type { NewJob } from './insert-job.js';
import type { JobDocument } from './job.js';

/** A job, and the waiting job that is to get its input and options. */
export interface Replacement {
  readonly job: KeyedJob;
  readonly holder: Holder & Pick<JobDocument, 'limits'>;
}

/**
 * Gives waiting jobs the inputs and options of others, in the given order, by one command. Returns the jobs whose holders
 * still waited. If some no longer waited, another command finds out which.
 */
export async function replaceMany(
  jobs: Collection<JobDocument>,
  replacements: readonly Replacement[],
  session: ClientSession | undefined,
): Promise<ReadonlySet<NewJob>> {
  if (replacements.length === 0) return new Set();
  const statements = replacements.map(({ job, holder: { _id } }) => {
    const { jobName, uniqueKey } = job;
    const waiting = { _id, jobName, uniqueKey, status: 'queued' as const };
    return { updateOne: { filter: waiting, update: replaceWaiting(job), ...byId } };
  });
  const { matchedCount } = await jobs.bulkWrite(statements, { ...(session && { session }) });
  const isAll = matchedCount === replacements.length;
  return new Set(
    (isAll ? replacements : await replacedOf(jobs, replacements, session)).map(({ job }) => job),
  );
}

/**
 * Returns the keys of the limits in which replaced jobs held places. Costs nothing for jobs that no limit has met, and one
 * command for others.
 */
export async function findLost(
  jobs: Collection<JobDocument>,
  replacements: readonly Replacement[],
  session: ClientSession | undefined,
): Promise<string[]> {
  const limited = replacements.filter(({ holder }) => holder.limits !== undefined);
  if (limited.length === 0) return [];
  const lost = {
    _id: { $in: limited.map(({ holder }) => holder._id) },
    lostSlots: { $exists: true },
  };
  const options = { projection: { lostSlots: 1 }, ...byId, ...(session && { session }) };
  return (await jobs.find(lost, options).toArray()).flatMap(lostKeys);
}

/**
 * Returns, for each holder, the replacements up to the one that it has now. If another add replaced a holder since, its
 * replacements are left out, and are repeated.
 */
async function replacedOf(
  jobs: Collection<JobDocument>,
  replacements: readonly Replacement[],
  session: ClientSession | undefined,
): Promise<readonly Replacement[]> {
  const ids = { $in: replacements.map(({ holder }) => holder._id) };
  const options = { projection: { replacedBy: 1 }, ...byId, ...(session && { session }) };
  const found = await jobs.find({ _id: ids }, options).toArray();
  const last = new Map(found.map(({ _id, replacedBy }) => [_id, replacedBy]));
  const isLater = new Set<string>();
  return replacements.toReversed().filter(({ job, holder: { _id } }) => {
    if (last.get(_id) === job.id) isLater.add(_id);
    return isLater.has(_id);
  });
}
