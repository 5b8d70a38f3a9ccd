import { setTimeout as sleep } from 'node:timers/promises';
import ms from 'ms';
import { NotFoundError, WaitTimeoutError } from '../errors.js';
import { isSettled, type Job, type SettledStatus } from './job.js';

/**
 * First and longest pause between reads. A short job is noticed at once, and a long one costs a small read per second.
 */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = ms('1s');

/** A settled job, with its output if it completed. */
export type SettledJob<Output = unknown> = Omit<Job, 'status' | 'output'> & {
  readonly status: SettledStatus;
  readonly output?: Output;
};

/** The state in which the last read found a job. */
export type Waited =
  | { readonly kind: 'settled' | 'unsettled'; readonly job: Job }
  | { readonly kind: 'none'; readonly wasThere: boolean };

/** How long to wait, and what ends the wait early. */
export interface WaitLimits {
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a job at growing intervals until it is settled or gone. When the time is up or the signal fires, the job is
 * read once more. It is not kept in memory between reads, since it may be large and many may be awaited.
 */
export async function readUntilSettled(
  read: () => Promise<Job | undefined>,
  { waitMs, signal }: WaitLimits,
): Promise<Waited> {
  const end = performance.now() + waitMs;
  const isOver = () => performance.now() >= end || signal?.aborted === true;
  for (let pauseMs = 0, wasThere = false; ; wasThere = true) {
    const met = await look(read, isOver);
    if (met === 'none') return { kind: 'none', wasThere };
    if (met !== 'unsettled') return met;
    pauseMs = Math.min(Math.max(pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
    const left = Math.max(0, end - performance.now());
    await sleep(Math.min(pauseMs, left), undefined, signal && { signal }).catch(() => {});
  }
}

async function look(
  read: () => Promise<Job | undefined>,
  isOver: () => boolean,
): Promise<Exclude<Waited, { readonly kind: 'none' }> | 'none' | 'unsettled'> {
  const job = await read();
  if (!job) return 'none';
  if (isSettled(job.status)) return { kind: 'settled', job };
  return isOver() ? { kind: 'unsettled', job } : 'unsettled';
}

/**
 * Waits until a job is settled, and returns it.
 *
 * @throws NotFoundError if the job does not exist or is gone; WaitTimeoutError; or the signal's reason
 */
export async function waitForJob(
  id: string,
  read: () => Promise<Job | undefined>,
  limits: WaitLimits,
): Promise<SettledJob> {
  limits.signal?.throwIfAborted();
  const met = await readUntilSettled(read, limits);
  if (met.kind === 'none') throw new NotFoundError('job', id);
  const { status } = met.job;
  if (isSettled(status)) return { ...met.job, status };
  limits.signal?.throwIfAborted();
  throw new WaitTimeoutError(id, status, limits.waitMs);
}
