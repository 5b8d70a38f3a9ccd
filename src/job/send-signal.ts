import { randomUUID } from 'node:crypto';
import type { Collection, Filter } from 'mongodb';
import * as z from 'zod';
import { byId } from '../mongo/by-index.js';
import { changeOrExplain } from './change-or-explain.js';
import type { Job, JobDocument } from './job.js';
import { isSettled } from './job.js';
import { ourJob } from './jobs-collection.js';
import type { QueuedJob } from './queued-job.js';
import { LARGE_SIGNAL_BYTES, MAX_SIGNALS, MAX_SIGNALS_BEFORE_LARGE } from './step-log.js';
import { addSignal, goesOnAt, hasFewerSignals } from './step-statements.js';
import { toPayload } from './storable.js';

/** Ids of signals that senders choose. */
export const signalId: z.ZodString = z.string().min(1).max(200);

/** Result of sending a signal. */
export interface SentSignal {
  /** `duplicate`: a signal with the same `signalId` was there before, so nothing was changed. */
  readonly outcome: 'delivered' | 'duplicate';
}

/**
 * Puts a signal into the mailbox of a job, and lets the job go on if it waits for it. Costs one command, even for a
 * duplicate that is sent while the job takes the first signal.
 *
 * @param signalId id chosen by the sender
 * @returns what became of it, and the job if it goes on
 * @throws NotFoundError, or ConflictError for a settled job or a full mailbox. Nothing is changed then
 */
export async function sendSignal(
  jobs: Collection<JobDocument>,
  id: string,
  {
    name,
    payload,
    signalId,
  }: { readonly name: string; readonly payload: unknown; readonly signalId?: string | undefined },
): Promise<SentSignal & { readonly woken: readonly QueuedJob[] }> {
  const key = randomUUID();
  const { value: stored, bytes } = toPayload(payload, name);
  const mostSignals = bytes > LARGE_SIGNAL_BYTES ? MAX_SIGNALS_BEFORE_LARGE : MAX_SIGNALS;
  const open: Filter<JobDocument> = {
    ...ourJob,
    _id: String(id),
    status: { $in: ['queued', 'processing'] },
    ...hasFewerSignals(mostSignals),
    ...(signalId !== undefined && { 'stepLog.signalIds': { $ne: signalId } }),
  };
  const update = addSignal({ name, key, ...(stored !== undefined && { payload: stored }) }, signalId);
  const before = await changeOrExplain<Sent | 'duplicate'>(
    jobs,
    id,
    async () =>
      (await jobs.findOneAndUpdate(open, update, { projection: seen, ...byId })) ?? (await seenBefore()),
    (job) => refusal(job, id, mostSignals),
  );
  async function seenBefore(): Promise<'duplicate' | undefined> {
    if (signalId === undefined) return undefined;
    const seenIt = { _id: String(id), 'stepLog.signalIds': signalId };
    return (await jobs.findOne(seenIt, { projection: { _id: 1 }, ...byId })) ? 'duplicate' : undefined;
  }
  if (before === 'duplicate') return { outcome: 'duplicate', woken: [] };
  const { jobName, queue } = before;
  return { outcome: 'delivered', woken: goesOn(before, name) ? [{ jobName, queue, runAt: 0 }] : [] };
}

const seen = { status: 1, jobName: 1, queue: 1, runAt: 1, 'steps.waits': 1 } as const;

type Sent = Pick<JobDocument, 'status' | 'jobName' | 'queue' | 'runAt' | 'steps'>;

/** Whether a signal lets a job go on, as `addSignal` decides it. Keep the two alike. */
function goesOn({ status, runAt, steps }: Sent, name: string): boolean {
  const { waits = [] } = steps ?? {};
  const isAwaited = status === 'queued' && waits.some(({ signal }) => signal === name);
  return isAwaited && runAt.getTime() === goesOnAt(waits).getTime();
}

function refusal({ status }: Job, id: string, mostSignals: number): string | undefined {
  return isSettled(status)
    ? `Job '${id}' takes no signals: its status is '${status}'.`
    : `Job '${id}' takes no more signals${mostSignals < MAX_SIGNALS ? ` of over ${LARGE_SIGNAL_BYTES} bytes` : ''}: ${mostSignals} wait for it already.`;
}
