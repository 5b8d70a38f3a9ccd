import type { Collection } from 'mongodb';
import type { Events } from '../events.js';
import { groupOf } from '../job/group.js';
import { openIn } from '../job/group-statements.js';
import { membersIndex } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { CHECK_MS, CHECK_SETTLED_MS, fromNow, type GroupCollections } from './group-document.js';

/** Notes that a batch is over, and tells listeners once. Does nothing while its jobs are still being added. */
export async function closeBatch(
  collections: GroupCollections,
  events: Events,
  id: string,
  hasFailed: boolean,
): Promise<void> {
  const batch = { _id: groupOf('batch', id), sealed: { $exists: true } };
  if (await close(collections, batch, hasFailed)) events.tell('batchCompleted', { batch: id, hasFailed });
}

/** Notes that a workflow is over, and tells listeners once. */
export async function closeWorkflow(
  collections: GroupCollections,
  events: Events,
  id: string,
  hasFailed: boolean,
): Promise<void> {
  if (await close(collections, { _id: groupOf('workflow', id) }, hasFailed))
    events.tell(hasFailed ? 'workflowFailed' : 'workflowCompleted', { workflow: id });
}

/** Notes that nothing in a workflow can run until a person retries a job. Tells listeners once. */
export async function failWorkflow(
  { jobGroups }: GroupCollections,
  events: Events,
  id: string,
): Promise<void> {
  const unnoted = { _id: groupOf('workflow', id), closed: { $exists: false }, failed: { $exists: false } };
  const failed = [
    { $set: { failed: '$$NOW', expires: keptFor('error'), checkAt: fromNow(CHECK_SETTLED_MS) } },
  ];
  const { modifiedCount } = await jobGroups.updateOne(unnoted, failed, byId);
  if (modifiedCount === 1) events.tell('workflowFailed', { workflow: id });
}

/** Returns whether all open jobs of a workflow wait for others. */
export async function isStuck(jobs: Collection<JobDocument>, id: string): Promise<boolean> {
  const free = { ...openIn(groupOf('workflow', id)), waitsFor: { $exists: false } };
  const options = { projection: { _id: 1 } } as const;
  return (await byIndex(jobs, membersIndex, (hint) => jobs.findOne(free, { ...options, ...hint }))) === null;
}

/** Update of a group when a person retries one of its jobs: the group is no longer over. */
export const reopening = [
  { $set: { checkAt: '$$NOW' } },
  { $unset: ['closed', 'failed', 'cancelled', 'expires'] },
];

/**
 * Requests a look at groups in a minute, in case this process dies before the work that follows. The look is not now, because
 * an early look would postpone the next one.
 */
export async function lookSoon({ jobGroups }: GroupCollections, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await jobGroups.updateMany({ _id: { $in: [...ids] } }, [{ $set: { checkAt: fromNow(CHECK_MS) } }], byId);
}

async function close(
  { jobGroups }: GroupCollections,
  group: { readonly _id: string },
  hasFailed: boolean,
): Promise<boolean> {
  const closed = {
    closed: '$$NOW',
    expires: keptFor(hasFailed ? 'error' : 'completed'),
    checkAt: fromNow(CHECK_SETTLED_MS),
  };
  const { modifiedCount } = await jobGroups.updateOne(
    { ...group, closed: { $exists: false } },
    [{ $set: closed }],
    byId,
  );
  return modifiedCount === 1;
}

function keptFor(ending: 'completed' | 'error') {
  const ms = `$retention.${ending}`;
  return { $cond: [{ $eq: [ms, 'forever'] }, '$$REMOVE', { $add: ['$$NOW', ms] }] };
}
