import type { Document } from 'mongodb';
import type { StepCollections } from '../job/find-steps.js';
import { isSettled, type JobStatus } from '../job/job.js';
import type { StepState, StepsState } from '../job/step-log.js';
import { byId } from '../mongo/by-index.js';
import { type CallbackOf, callbackSignal } from './callbacks.js';

/**
 * State of a callback. `answered`: somebody answered, even if the job is settled by now. `over`: nobody answered in time or
 * before the job was settled, the job has begun another run, or it is gone.
 */
export interface FoundCallback {
  /** Absent if the job is gone. */
  readonly jobName?: string;
  readonly state: 'open' | 'answered' | 'over';
}

/** Finds out whether a callback can still be answered. Does not read results or payloads, which may be large. */
export async function findCallback(
  { jobs, jobSteps }: StepCollections,
  of: CallbackOf,
): Promise<FoundCallback> {
  const projection = { jobName: 1, status: 1, 'steps.run': 1, pages: '$stepLog.pages', ...stateOf(of) };
  const job = await jobs.findOne<Found>({ _id: of.jobId }, { projection, ...byId });
  if (!job) return { state: 'over' };
  const { jobName, status, steps, states, isSent, pages = [] } = job;
  if ((steps?.run ?? 1) !== of.run) return { jobName, state: 'over' };
  if (isSent) return { jobName, state: 'answered' };
  const [state] = states.length > 0 || pages.length === 0 ? states : await statesInPages();
  if (state === undefined && !isSettled(status)) return { jobName, state: 'open' };
  return { jobName, state: state === 'completed' ? 'answered' : 'over' };

  async function statesInPages(): Promise<readonly StepState[]> {
    const holding = { _id: { $in: [...pages] }, 'entries.name': of.step };
    const states = { states: statesOf('$entries', of.step) };
    return (
      (await jobSteps.findOne<Pick<Found, 'states'>>(holding, { projection: states, ...byId }))?.states ?? []
    );
  }
}

interface Found {
  readonly jobName: string;
  readonly status: JobStatus;
  readonly steps?: Pick<StepsState, 'run'>;
  readonly states: readonly StepState[];
  readonly isSent: boolean;
  readonly pages?: readonly string[];
}

function stateOf(of: CallbackOf): Document {
  const sent = { $setUnion: [orNone('$stepLog.signalIds'), orNone('$stepLog.signals.name')] };
  return {
    states: statesOf('$stepLog.entries', of.step),
    isSent: { $in: [{ $literal: callbackSignal(of) }, sent] },
  };
}

function statesOf(entries: string, step: string): Document {
  const cond = { $eq: ['$$this.name', { $literal: step }] };
  return { $map: { input: { $filter: { input: orNone(entries), as: 'this', cond } }, in: '$$this.state' } };
}

function orNone(list: string): Document {
  return { $ifNull: [list, []] };
}
