import { createHash } from 'node:crypto';

/**
 * Jobs that are waited for together are a group. Its name begins with its kind:
 * - `children ID`: the children that one step of a job has added
 * - `batch ID`: the jobs of a batch
 * - `workflow ID`: the jobs of a workflow
 *
 * A group is open while one of its jobs is queued or running. This is always read from the jobs themselves. A counter would
 * be a second fact beside the jobs, and a crash could come between the two writes.
 */
export type GroupKind = 'children' | 'batch' | 'workflow';

/** Names the group of this kind and id. */
export function groupOf(kind: GroupKind, id: string): string {
  return `${kind} ${id}`;
}

/** Returns what a step waits for if it goes on as soon as a child has failed. */
export function failureIn(group: string): string {
  return `failure ${group}`;
}

/** Returns the groups that a suspended job waits for. */
export function groupsAwaited(waits: readonly { readonly on?: string | undefined }[] = []): string[] {
  return [...new Set(waits.flatMap(({ on }) => on?.replace(/^failure /, '') ?? []))];
}

/** Returns the kind and the id of a group. */
export function parseGroup(group: string): { readonly kind: string; readonly id: string } {
  const end = group.indexOf(' ');
  return { kind: group.slice(0, end), id: group.slice(end + 1) };
}

/**
 * Something that a job waits for before it can run: a group, or a job of a workflow. With `completed`, a job that failed or
 * was cancelled keeps it waiting until that job is retried.
 */
export interface Awaited {
  /** Name of a group, or `job` and the id of a job. */
  readonly on: string;
  readonly when: 'completed' | 'settled';
}

/** A job's place in a group. Absent from other jobs. */
export interface Membership {
  readonly group?: string;
  /** Ids of the jobs above a child, its parent last. */
  readonly parents?: readonly string[];
  /** The groups and jobs that the job had to wait for when it was added. */
  readonly after?: readonly Awaited[];
  /** The part of `after` that the queued job still waits for. Claims do not see the job meanwhile. */
  readonly waitsFor?: readonly Awaited[];
  /** Parts of its input that are results of other jobs. Each is filled in once that job has ended. */
  readonly inputFrom?: readonly InputPart[];
  /** How many jobs of the group run at a time. */
  readonly groupLimit?: number;
}

/** A part of a job's input that is the result of another job. */
export interface InputPart {
  /** Path into the input. Empty for the whole input. */
  readonly at: string;
  /** Id of the other job. */
  readonly job: string;
  /** Path into its result. Empty for the whole result. */
  readonly path: string;
  /** The searchable paths of the job at or inside the part. */
  readonly searchable?: readonly string[];
}

/** Digits of the number of a job in a group, so that ids sort as the numbers do. */
const DIGITS = 6;

/** The largest number of jobs in a group. */
export const MAX_MEMBERS = 100_000;

/** Returns the id of the group of children that a step adds. Each is below the parent's id. */
export function childrenId(parentId: string, run: number, step: string): string {
  const hash = createHash('sha256').update(step).digest('base64url').slice(0, 12);
  return `${parentId}:${run}.${hash}`;
}

/** Returns whether an id may be that of a child. Ids of other jobs have no colon, except if people chose it. */
export function mayBeChild(id: string): boolean {
  return id.includes(':');
}

/** Returns the id of a job of a group, by its number from 0. */
export function memberId(groupId: string, index: number): string {
  return `${groupId}.${String(index).padStart(DIGITS, '0')}`;
}

/** Returns the id of the job that waits for a batch. */
export function thenId(batchId: string): string {
  return `${batchId}.then`;
}

/** Returns the id of a job of a workflow. */
export function workflowJobId(workflowId: string, name: string): string {
  return `${workflowId}.${name}`;
}

/** Returns the text that stands for a job where a group may stand too: in what a job waits for, and as a parent. */
export function jobKey(id: string): string {
  return `job ${id}`;
}

/**
 * Returns whether an id may be that of a job of a batch or a workflow. Ids of other jobs have no dot, except if people
 * chose it.
 */
export function mayBeAdded(id: string): boolean {
  return id.includes('.');
}

/** Matches the jobs below these, at all levels. `parents` leaves out other jobs whose ids happen to lie among theirs. */
export function descendantsOf(...parentIds: readonly [string, ...string[]]) {
  const from = parentIds.map((id) => `${id}:`).sort()[0];
  const to = parentIds
    .map((id) => `${id};`)
    .sort()
    .at(-1);
  const [one] = parentIds;
  const parents = parentIds.length === 1 ? one : { $in: [...parentIds] };
  return { _id: { $gt: from ?? one, $lt: to ?? one }, parents };
}

/** Returns the name of the limit on how many jobs of a group run at a time. Short, as index keys must be. */
export function groupLimitKey(group: string): string {
  return `group ${createHash('sha256').update(group).digest('base64url').slice(0, 22)}`;
}
