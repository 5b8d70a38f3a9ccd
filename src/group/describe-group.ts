import type { Collection } from 'mongodb';
import { parseGroup, workflowJobId } from '../job/group.js';
import { countMembers } from '../job/group-statements.js';
import type { JobDocument, JobStatus } from '../job/job.js';
import { byId } from '../mongo/by-index.js';
import type { BatchDocument, GroupCollections, WorkflowDocument, WorkflowJob } from './group-document.js';

/**
 * State of a batch or a workflow:
 * - `adding`: not all jobs of a batch are there yet
 * - `running`: jobs are queued or running
 * - `failed`: all jobs have ended, and some failed or were cancelled; or nothing in a workflow can run until one is retried
 * - `cancelled`: a person cancelled it
 * - `completed`
 */
export type GroupStatus = 'adding' | 'running' | 'failed' | 'cancelled' | 'completed';

/** How far a batch or a workflow has come. */
export interface GroupProgress {
  readonly id: string;
  readonly status: GroupStatus;
  /** Number of its jobs. */
  readonly size: number;
  /** How many have completed. While a batch is being added, this counts only the stored jobs. */
  readonly completed: number;
  /** How many failed or were cancelled. */
  readonly failed: number;
  /** How many are queued or running. */
  readonly open: number;
  readonly created: Date;
  /** When the last of its jobs ended. */
  readonly closed?: Date;
  /** When it is removed with its jobs. */
  readonly expires?: Date;
}

/** A batch. */
export interface BatchInfo extends GroupProgress {
  /** The job that waits for it. */
  readonly then?: BatchDocument['then'];
}

/** A workflow. */
export interface WorkflowInfo extends GroupProgress {
  /** Its jobs. Each comes after those that it waits for. */
  readonly jobs: readonly WorkflowJobInfo[];
}

/** A job of a workflow. */
export interface WorkflowJobInfo extends WorkflowJob {
  readonly id: string;
  /** Undefined if the job is gone. */
  readonly status?: JobStatus;
  /** Whether it waits for others. */
  readonly isWaiting: boolean;
  readonly started?: Date;
  readonly completed?: Date;
  /** Message of the last error. */
  readonly error?: string;
}

export async function describeBatch({ jobs }: GroupCollections, batch: BatchDocument): Promise<BatchInfo> {
  const { then } = batch;
  return { ...(await progressOf(jobs, batch)), ...(then && { then }) };
}

export async function describeWorkflow(
  { jobs }: GroupCollections,
  workflow: WorkflowDocument,
): Promise<WorkflowInfo> {
  const { id } = parseGroup(workflow._id);
  const ids = workflow.jobs.map(({ name }) => workflowJobId(id, name));
  const projection = { status: 1, waitsFor: 1, started: 1, completed: 1, errors: { $slice: -1 } } as const;
  type Read = Pick<JobDocument, '_id' | 'status' | 'waitsFor' | 'started' | 'completed' | 'errors'>;
  const options = { projection, batchSize: ids.length + 1, ...byId };
  const [progress, found] = await Promise.all([
    progressOf(jobs, workflow),
    jobs.find<Read>({ _id: { $in: ids } }, options).toArray(),
  ]);
  const byJobId = new Map(found.map((job) => [job._id, job]));
  const infos = workflow.jobs.map((job, index): WorkflowJobInfo => {
    const jobId = ids[index] ?? '';
    const { status, waitsFor, started, completed, errors = [] } = byJobId.get(jobId) ?? {};
    const error = status === 'completed' ? undefined : errors.at(-1)?.message;
    return {
      ...job,
      id: jobId,
      isWaiting: status === 'queued' && waitsFor !== undefined,
      ...(status && { status }),
      ...(started && { started }),
      ...(completed && { completed }),
      ...(error !== undefined && { error }),
    };
  });
  return { ...progress, jobs: infos };
}

async function progressOf(
  jobs: Collection<JobDocument>,
  group: BatchDocument | WorkflowDocument,
): Promise<GroupProgress> {
  const { _id, size, created, closed, expires } = group;
  const { failed, open } = await countMembers(jobs, _id);
  const isAdding = group.kind === 'batch' && !group.sealed;
  const times = { created, ...(closed && { closed }), ...(expires && { expires }) };
  const completed = isAdding ? 0 : Math.max(0, size - failed - open);
  return {
    id: parseGroup(_id).id,
    status: statusOf(group, open, failed),
    size,
    completed,
    failed,
    open,
    ...times,
  };
}

function statusOf(group: BatchDocument | WorkflowDocument, open: number, failed: number): GroupStatus {
  if (group.kind === 'batch' && !group.sealed) return 'adding';
  if (group.cancelled && failed > 0) return 'cancelled';
  if (group.kind === 'workflow' && group.failed) return 'failed';
  if (open > 0) return 'running';
  return failed > 0 ? 'failed' : 'completed';
}
