import type { Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import { bsonSize } from '../mongo/own-bson.js';
import type { JobDocument } from './job.js';
import type { JobCollections } from './jobs-collection.js';
import { NEVER, type StepEntry, type StepWait, type StoredSignal } from './step-log.js';
import { readPages, readPagesWithin, type StepPageDocument } from './step-pages.js';

/** The steps of a job. */
export interface JobSteps {
  /** Number of the run, from 1. Each `continueAs` begins another. */
  readonly run: number;
  /** Version of the code with which the run began. Absent until a step is stored. */
  readonly version?: number;
  /** The stored steps of the run, in the order in which they were last stored. */
  readonly steps: readonly StepEntry[];
  /** The things that the job waits for. Empty unless it is suspended. */
  readonly waits: readonly StepWait[];
  /** Signals that no step has taken, oldest first. */
  readonly signals: readonly Omit<StoredSignal, 'key'>[];
}

/** The steps as they were found. `isBrief` tells that values are left out. */
export interface FoundSteps extends JobSteps {
  readonly jobName: string;
  readonly isBrief: boolean;
}

/** The collections that hold jobs with their steps. */
export interface StepCollections extends JobCollections {
  readonly jobSteps: Collection<StepPageDocument>;
}

/** Returns the steps of a job, and what it waits for. @throws NotFoundError */
export async function findSteps({ jobs, jobSteps }: StepCollections, id: string): Promise<JobSteps> {
  const job = await readLog(jobs, id);
  return toSteps(job, await readPages(jobSteps, job.stepLog?.pages));
}

/**
 * Returns the steps of a job as `findSteps` does. If they have more than `maxBytes`, results, cursors, payloads and stacks
 * are left out, so that memory holds little more than that.
 *
 * @throws NotFoundError
 */
export async function findStepsWithin(
  { jobs, jobSteps }: StepCollections,
  id: string,
  maxBytes: number,
): Promise<FoundSteps> {
  const job = await readLog(jobs, id);
  const ids = job.stepLog?.pages ?? [];
  const left = maxBytes - bsonSize(job);
  const paged = left < 0 ? undefined : await readPagesWithin(jobSteps, ids, { maxBytes: left });
  if (paged) return { ...toSteps(job, paged), jobName: job.jobName, isBrief: false };
  const names = (await readPagesWithin(jobSteps, ids, { projection: namesAlone })) ?? [];
  return { ...briefly(toSteps(job, names)), jobName: job.jobName, isBrief: true };
}

const namesAlone = {
  'entries.result': 0,
  'entries.cursor': 0,
  'entries.failure.stack': 0,
  'entries.failure.causes': 0,
} as const;

/** Leaves out the values. */
export function briefly(steps: JobSteps): JobSteps {
  return {
    ...steps,
    steps: steps.steps.map(({ result: _, cursor: __, failure, ...step }) => ({
      ...step,
      ...(failure && { failure: { message: failure.message } }),
    })),
    signals: steps.signals.map(({ name, at }) => ({ name, at })),
  };
}

type JobWithLog = Pick<JobDocument, '_id' | 'jobName' | 'steps' | 'stepLog' | 'status' | 'runAt'>;

async function readLog(jobs: Collection<JobDocument>, id: string): Promise<JobWithLog> {
  const projection = { jobName: 1, steps: 1, stepLog: 1, status: 1, runAt: 1 } as const;
  const job = await jobs.findOne({ _id: String(id) }, { projection, ...byId });
  if (job) return job;
  throw new NotFoundError('job', id);
}

function toSteps(job: JobWithLog, paged: readonly StepEntry[]): JobSteps {
  const { steps: { run = 1, version } = {}, stepLog: { entries = [], signals = [] } = {} } = job;
  return {
    run,
    ...(version !== undefined && { version }),
    // Pages are in no order.
    steps: [...paged, ...entries].sort((one, other) => one.stored.getTime() - other.stored.getTime()),
    waits: waitsOf(job),
    signals: signals.map(({ key: _, ...signal }) => signal),
  };
}

/**
 * Returns the waits of a job. The last waits stay stored until the job is suspended again. So they hold only if the job's
 * `runAt` is the earliest of their moments.
 *
 * @param now by the clock of this process, since this is only shown
 */
export function waitsOf(
  { status, runAt, steps }: Pick<JobDocument, 'status' | 'runAt' | 'steps'>,
  now = Date.now(),
): readonly StepWait[] {
  const { waits = [] } = steps ?? {};
  const moments = waits.flatMap(({ until }) => until?.getTime() ?? []);
  const earliest = Math.min(...moments, NEVER.getTime());
  const isWaiting = status === 'queued' && runAt.getTime() === earliest && earliest > now;
  return isWaiting ? waits : [];
}
