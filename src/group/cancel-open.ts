import type { Collection, Filter } from 'mongodb';
import { type FormerHolder, findCancelledHolders } from '../job/former-holder.js';
import { type InTree, treeFields } from '../job/in-tree.js';
import { membersIndex } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { requestCancel } from '../job/request-cancel.js';
import { byId, byIndex } from '../mongo/by-index.js';

/** Jobs per command. Short commands hold up no other write for long. */
const AT_A_TIME = 1000;

/** Result of cancelling open jobs. */
export interface CancelledOpen {
  /** How many jobs were cancelled or asked to stop. */
  readonly changed: number;
  /** Ids of cancelled jobs that may have added others. */
  readonly parents: readonly string[];
  /** Cancelled jobs that held places in limits. */
  readonly freed: readonly FormerHolder[];
}

/**
 * Cancels the queued jobs of groups, and asks the running ones to stop. Costs one command if there are none, however many have
 * ended. Safe to repeat.
 *
 * @param open matches queued and running jobs by the index of groups
 */
export async function cancelOpen(
  jobs: Collection<JobDocument>,
  open: Filter<JobDocument>,
): Promise<CancelledOpen> {
  const parents: string[] = [];
  const freed: FormerHolder[] = [];
  let changed = 0;
  // One that is running stays open, and is asked once.
  const unasked = { ...open, cancelRequested: { $exists: false } };
  const options = {
    projection: { ...treeFields, limits: 1 },
    limit: AT_A_TIME,
    batchSize: AT_A_TIME + 1,
  } as const;
  for (;;) {
    const found = await byIndex(jobs, membersIndex, (hint) =>
      jobs.find<Found>(unasked, { ...options, ...hint }).toArray(),
    );
    if (found.length === 0) break;
    const stillOpen = { _id: { $in: found.map(({ _id }) => _id) }, completed: { $exists: false } };
    changed += (await jobs.updateMany(stillOpen, requestCancel(), byId)).modifiedCount;
    parents.push(...found.filter(({ steps }) => steps?.children).map(({ _id }) => _id));
    const limited = found.filter(({ limits }) => limits !== undefined).map(({ _id }) => _id);
    if (limited.length > 0) freed.push(...(await findCancelledHolders(jobs, { _id: { $in: limited } })));
    if (found.length < AT_A_TIME) break;
  }
  return { changed, parents, freed };
}

type Found = Pick<JobDocument, '_id' | 'limits'> & InTree;
