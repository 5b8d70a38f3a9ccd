import { ObjectId } from 'mongodb';
import type * as z from 'zod';
import { isKind } from '../brand.js';
import { ConflictError, ValidationError } from '../errors.js';
import type { AnyJobToAdd } from '../job/add-jobs.js';
import { isOrdered } from '../job/flow-rules.js';
import { groupOf, memberId, thenId } from '../job/group.js';
import type { NewJob } from '../job/insert-job.js';
import { byId } from '../mongo/by-index.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { validateNow } from '../validate.js';
import type { GroupAdding } from './adding.js';
import { asMember } from './as-member.js';
import { cancelGroup } from './change-group.js';
import { digestOf } from './digest.js';
import { type BatchDocument, CHECK_MS, fromNow, type GroupCollections } from './group-document.js';
import { type AddBatchOptions, batchJobsSchema, batchOptionsSchema } from './group-options.js';
import { insertGroup } from './insert-group.js';
import { requireOwnIds } from './require-own-ids.js';

/** A batch or a workflow that was added. */
export interface AddedGroup {
  readonly id: string;
  /** `kept` if a group with this id was added before. */
  readonly outcome: 'added' | 'kept';
}

const SUBJECT = 'The call of addBatch';

/**
 * Adds a batch. Checks all jobs before the first write. Writes the document first, then the jobs. Writes the job that waits for
 * them last, so that it cannot run before all are stored. After a crash in between, adding the batch again continues.
 *
 * @throws as `RemoteProcessor.addBatch`
 */
export async function addBatch(
  collections: GroupCollections,
  adding: GroupAdding,
  given: readonly AnyJobToAdd[],
  options: AddBatchOptions,
): Promise<AddedGroup> {
  const jobs = validateNow(batchJobsSchema, given, 'The list of addBatch');
  requireOwnIds(jobs, 'The list of addBatch', String);
  const valid = validateNow(batchOptionsSchema, options, SUBJECT);
  if (valid.then) requireOwnIds([valid.then], SUBJECT, () => 'then');
  const { id = new ObjectId().toHexString(), callerRole, patience, concurrency } = valid;
  const then = valid.then && (await checkThen(adding, valid.then, callerRole));
  const checked = await adding.check(jobs, callerRole);
  const group = groupOf('batch', id);
  const members = checked.map((job, index) => ({
    ...asMember(job, memberId(id, index), group),
    ...(concurrency !== undefined && { groupLimit: concurrency }),
  }));
  const all = then ? [...checked, then] : checked;
  const digest = digestOf(all, valid.when);
  const batch = {
    kind: 'batch',
    size: members.length,
    kinds: [...new Set(all.map(({ jobName }) => jobName))],
    digest,
    retention: valid.retention,
    ...thenOf(id, then, valid),
  };
  const { stored } = await retryWhileUnreachable(patience, () =>
    insertGroup(collections, group, batch, false),
  );
  if (stored.digest !== digest)
    throw new ConflictError(id, `There is a batch with the id '${id}' already, and it has other jobs.`);
  if (stored.kind === 'batch' && stored.sealed) return { id, outcome: 'kept' };
  await adding.add(members, patience);
  if (then) await adding.add([asThen(then, id, valid)], patience);
  const sealed = await retryWhileUnreachable(patience, () => seal(collections, group));
  // Jobs that were added after that were not cancelled.
  if (sealed?.cancelled) await retryWhileUnreachable(patience, () => cancelGroup(collections, sealed));
  return { id, outcome: 'added' };
}

type Valid = z.output<typeof batchOptionsSchema>;

function thenOf(id: string, then: NewJob | undefined, { when }: Valid) {
  return then ? { then: { id: thenId(id), when } } : {};
}

function asThen(job: NewJob, id: string, { when }: Valid): NewJob {
  const after = [{ on: groupOf('batch', id), when }];
  return { ...job, id: thenId(id), after, waitsFor: after, uniqueKey: undefined, sharing: undefined };
}

async function checkThen(
  adding: GroupAdding,
  then: AnyJobToAdd,
  callerRole: Valid['callerRole'],
): Promise<NewJob | undefined> {
  try {
    const [job] = await adding.check([then], callerRole);
    if (isOrdered(job?.limits)) throw new ValidationError(SUBJECT, [{ path: '0', message: NOT_ORDERED }]);
    return job;
  } catch (error) {
    if (!isKind(error, ValidationError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({ path: path.replace(/^0/, 'then'), message }));
    throw new ValidationError(SUBJECT, issues);
  }
}

/** Reason to refuse an ordered kind. Its jobs run in the order of adding, so a job that waits would hold up those behind it. */
export const NOT_ORDERED = 'expected a kind of job without a strict order, since the job waits for others';

async function seal({ jobGroups }: GroupCollections, _id: string): Promise<BatchDocument | null> {
  const sealed = {
    sealed: { $ifNull: ['$sealed', '$$NOW'] },
    checkAt: fromNow(CHECK_MS),
    expires: { $cond: ['$closed', '$expires', '$$REMOVE'] },
  };
  const options = { returnDocument: 'after', ...byId } as const;
  const batch = await jobGroups.findOneAndUpdate({ _id, kind: 'batch' }, [{ $set: sealed }], options);
  return batch?.kind === 'batch' ? batch : null;
}
