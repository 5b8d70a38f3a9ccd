import type { Collection, Document, Filter } from 'mongodb';
import { byId, byIndex } from '../mongo/by-index.js';
import { type Awaited, type InputPart, jobKey } from './group.js';
import { heldJobs, membersIndex } from './indexes.js';
import type { JobDocument, JobStatus } from './job.js';
import { unlessAlone } from './leave-processing.js';
import type { QueuedJob } from './queued-job.js';
import { keyFor } from './search-keys.js';
import { wakingUp } from './step-statements.js';
import { valueAt } from './value-at.js';

/** How far a group has come. */
export interface GroupState {
  /** Whether one of its jobs is queued or running. */
  readonly isOpen: boolean;
  /** Whether one of its jobs ended in `error` or was cancelled. */
  readonly hasFailed: boolean;
}

/**
 * The condition of the index, word for word. MongoDB does not use a partial index for a narrower condition of this kind.
 */
export const isInMembersIndex = membersIndex.partialFilterExpression.status;

/** Matches the jobs of a group that are queued or running: those that have no `completed`. */
export function openIn(group: string) {
  return { group, completed: { $exists: false }, status: isInMembersIndex } satisfies Filter<JobDocument>;
}

/** Matches the jobs of a group that ended in `error` or were cancelled. */
export function failedIn(group: string) {
  return { group, completed: { $gt: new Date(0) }, status: isInMembersIndex } satisfies Filter<JobDocument>;
}

/** How many jobs of a group have not completed. */
export interface GroupCounts {
  /** Queued or running. */
  readonly open: number;
  /** Ended in `error`, or cancelled. */
  readonly failed: number;
}

/** Counts the jobs of a group that have not completed. Four commands, which read keys of an index and no jobs. */
export async function countMembers(jobs: Collection<JobDocument>, group: string): Promise<GroupCounts> {
  const count = (status: JobStatus) =>
    byIndex(jobs, membersIndex, (hint) => jobs.countDocuments({ group, status }, hint));
  const [queued, processing, error, cancelled] = await Promise.all([
    count('queued'),
    count('processing'),
    count('error'),
    count('cancelled'),
  ]);
  return { open: queued + processing, failed: error + cancelled };
}

/** Looks whether a group is open, and whether a job of it has failed. One command, which reads two jobs at most. */
export async function lookAtGroup(jobs: Collection<JobDocument>, group: string): Promise<GroupState> {
  const first = (match: Filter<JobDocument>, mark: string): Document[] => [
    { $match: match },
    { $limit: 1 },
    { $project: { _id: 0, [mark]: { $literal: true } } },
  ];
  const stages = [
    ...first(openIn(group), 'isOpen'),
    { $unionWith: { coll: jobs.collectionName, pipeline: first(failedIn(group), 'hasFailed') } },
  ];
  const found = await byIndex(jobs, membersIndex, (hint) =>
    jobs.aggregate<Partial<GroupState>>(stages, hint).toArray(),
  );
  return {
    isOpen: found.some(({ isOpen }) => isOpen === true),
    hasFailed: found.some(({ hasFailed }) => hasFailed === true),
  };
}

/** Lets a suspended job go on if it waits for one of these. Returns the job, or nothing if it waits for none of them. */
export async function wakeParent(
  jobs: Collection<JobDocument>,
  parentId: string,
  on: readonly string[],
): Promise<QueuedJob[]> {
  const waiting: Filter<JobDocument> = {
    _id: parentId,
    status: 'queued',
    'steps.waits.on': { $in: [...on] },
  };
  const options = { projection: { jobName: 1, queue: 1 }, ...byId } as const;
  const parent = await jobs.findOneAndUpdate(waiting, [{ $set: { runAt: wakingUp } }], options);
  return parent ? [{ jobName: parent.jobName, queue: parent.queue, runAt: 0 }] : [];
}

/**
 * Notes that a job or a group has ended, and fills in the inputs of the jobs held for it. Lets jobs run that wait for
 * nothing else, and returns them. Costs one command if no job waits.
 *
 * @param whens the conditions of the held jobs that are met
 */
export async function letGo(
  jobs: Collection<JobDocument>,
  on: readonly string[],
  whens: readonly Awaited['when'][],
): Promise<QueuedJob[]> {
  const held = { status: 'queued', 'waitsFor.on': { $in: [...on] } } satisfies Filter<JobDocument>;
  const projection = { jobName: 1, queue: 1, waitsFor: 1, inputFrom: 1 } as const;
  const found = await byIndex(jobs, heldJobs, (hint) => jobs.find(held, { projection, ...hint }).toArray());
  const isMet = (awaited: Awaited) => on.includes(awaited.on) && whens.includes(awaited.when);
  const met = found.filter(({ waitsFor }) => waitsFor?.some(isMet));
  if (met.length === 0) return [];
  const partsOf = ({ inputFrom = [] }: HeldJob) =>
    inputFrom.filter(({ job: other }) => on.includes(jobKey(other)));
  const results = await findResults(jobs, met.flatMap(partsOf));
  const goOn = waitingLess(on, whens);
  const statements = met.map((job) => {
    const update = [...goOn, ...fillIn(partsOf(job), results)];
    return { updateOne: { filter: { _id: job._id, ...held }, update, ...byId } };
  });
  await jobs.bulkWrite(statements, { ordered: false });
  const isFree = ({ waitsFor }: HeldJob) => waitsFor?.every(isMet) === true;
  const others = met.filter((job) => !isFree(job));
  const free = [...met.filter(isFree), ...(await findFree(jobs, others))];
  return free.map(({ jobName, queue }) => ({ jobName, queue, runAt: 0 }));
}

/**
 * Returns the jobs among these that wait for nothing any more. Two processes may note the last two ends at the same time.
 * Each of them then took the job for held.
 */
async function findFree(jobs: Collection<JobDocument>, held: readonly HeldJob[]): Promise<HeldJob[]> {
  if (held.length === 0) return [];
  const ids = held.map(({ _id }) => _id);
  const free = { _id: { $in: ids }, status: 'queued', waitsFor: { $exists: false } } as const;
  const options = { projection: { jobName: 1, queue: 1 }, batchSize: ids.length + 1, ...byId };
  return jobs.find(free, options).toArray();
}

type HeldJob = Pick<JobDocument, '_id' | 'jobName' | 'queue' | 'waitsFor' | 'inputFrom'>;

/** Returns the outputs of these jobs, by their ids. */
async function findResults(
  jobs: Collection<JobDocument>,
  parts: readonly InputPart[],
): Promise<ReadonlyMap<string, unknown>> {
  const ids = [...new Set(parts.map(({ job }) => job))];
  if (ids.length === 0) return new Map();
  const ended = { _id: { $in: ids }, status: 'completed' } as const;
  const found = await jobs.find(ended, { projection: { output: 1 }, ...byId }).toArray();
  return new Map(found.map(({ _id, output }) => [_id, output]));
}

/**
 * Returns the stage that fills in the parts of an input that are known now. Each is written by whoever notes the end of its
 * job, so no part can be overwritten by one that knew less.
 */
function fillIn(parts: readonly InputPart[], results: ReadonlyMap<string, unknown>): Document[] {
  if (parts.length === 0) return [];
  const filled = parts.map(({ job, path, ...part }) => ({ ...part, value: valueAt(results.get(job), path) }));
  const values = filled.map(({ at, value }) => [
    at === '' ? 'input' : `input.${at}`,
    { $literal: value ?? null },
  ]);
  const keys = filled.flatMap(({ at, value, searchable = [] }) =>
    searchable.flatMap((path) => keyFor(path, valueAt(value, at === '' ? path : path.slice(at.length + 1)))),
  );
  const found = { $setUnion: [{ $ifNull: ['$keys', []] }, { $literal: keys }] };
  return [{ $set: { ...Object.fromEntries(values), ...(keys.length > 0 && { keys: found }) } }];
}

function waitingLess(on: readonly string[], whens: readonly Awaited['when'][]): Document[] {
  const isMet = {
    $and: [
      { $in: ['$$awaited.on', { $literal: [...on] }] },
      { $in: ['$$awaited.when', { $literal: [...whens] }] },
    ],
  };
  const left = { $filter: { input: '$waitsFor', as: 'awaited', cond: { $not: [isMet] } } };
  const ifFree = (value: unknown, otherwise: unknown) => ({
    $cond: [{ $eq: ['$waitsFor', []] }, value, otherwise],
  });
  return [
    { $set: { waitsFor: left } },
    {
      $set: {
        claimable: ifFree(unlessAlone, false),
        queued: ifFree('$$NOW', '$queued'),
        runAt: ifFree({ $max: ['$runAt', '$$NOW'] }, '$runAt'),
        waitsFor: ifFree('$$REMOVE', '$waitsFor'),
      },
    },
  ];
}
