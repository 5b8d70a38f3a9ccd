import type { Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';
import type { JobCollections } from './jobs-collection.js';
import type { StepEntry, StepWait, StoredSignal } from './step-log.js';
import { readPages, type StepPageDocument } from './step-pages.js';

/** The steps of a job. */
export interface JobSteps {
  /** Number of the run, from 1. Each `continueAs` begins another. */
  readonly run: number;
  /** Version of the code with which the run began. Absent until a step is stored. */
  readonly version?: number;
  /** The stored steps of the run, in the order in which they were last stored. */
  readonly steps: readonly StepEntry[];
  /** What the job waits for. Empty unless it is suspended. */
  readonly waits: readonly StepWait[];
  /** Signals that no step has taken, oldest first. */
  readonly signals: readonly Omit<StoredSignal, 'key'>[];
}

/** The collections that hold jobs with their steps. */
export interface StepCollections extends JobCollections {
  readonly jobSteps: Collection<StepPageDocument>;
}

/** @throws NotFoundError */
export async function findSteps({ jobs, jobSteps }: StepCollections, id: string): Promise<JobSteps> {
  const projection = { steps: 1, stepLog: 1, status: 1, runAt: 1, queued: 1 } as const;
  const job = await jobs.findOne({ _id: String(id) }, { projection, ...byId });
  if (!job) throw new NotFoundError('job', id);
  const { steps: { run = 1, version } = {}, stepLog: { entries = [], pages, signals = [] } = {} } = job;
  return {
    run,
    ...(version !== undefined && { version }),
    steps: [...(await readPages(jobSteps, pages)), ...entries],
    waits: waitsOf(job),
    signals: signals.map(({ key: _, ...signal }) => signal),
  };
}

/**
 * Returns what a job waits for. What it waited for last is stored until it is suspended again.
 *
 * @param now by the clock of this process, since this is only shown
 */
export function waitsOf(
  { status, runAt, queued, steps }: Pick<JobDocument, 'status' | 'runAt' | 'queued' | 'steps'>,
  now = Date.now(),
): readonly StepWait[] {
  const isLater = runAt > queued && runAt.getTime() > now;
  return status === 'queued' && isLater ? (steps?.waits ?? []) : [];
}
