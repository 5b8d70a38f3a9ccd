import ms from 'ms';
import { type Job, NotFoundError, type RemoteProcessor } from '../../src/index.js';
import { readUntilSettled } from '../../src/job/wait-for-job.js';
import { Problem } from './problem.js';
import { inTurn } from './turns.js';

/** Time reserved for a last read of the job and for sending the answer, in milliseconds. */
const MARGIN_MS = ms('2s');

/** How long to wait, and what ends the wait early. */
export interface Patience {
  readonly waitMs: number;
  /** Returns the milliseconds until the answer must be sent. */
  readonly timeLeft: () => number;
  /** Fires when the client disconnects. */
  readonly signal: AbortSignal;
}

/**
 * Returns the job once it is settled, or in its current state when the time is up or the client disconnects. Reads it
 * by its id at growing intervals.
 *
 * @throws NotFoundError, or Problem if the job existed and is gone now
 */
export async function waitForJob(
  processor: RemoteProcessor,
  id: string,
  { waitMs, timeLeft, signal }: Patience,
): Promise<Job> {
  const limits = { waitMs: Math.min(waitMs, timeLeft() - MARGIN_MS), signal };
  const met = await readUntilSettled(() => inTurn(() => processor.getJob(id)), limits);
  if (met.kind !== 'none') return met.job;
  throw met.wasThere ? gone(id) : new NotFoundError('job', id);
}

function gone(id: string): Problem {
  const detail = `The job with the id '${id}' is gone: it ended and is not kept (its retention), or it was removed.`;
  return new Problem('not_found', { detail });
}
