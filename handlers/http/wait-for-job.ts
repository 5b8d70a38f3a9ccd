import ms from 'ms';
import { type Job, NotFoundError, type RemoteProcessor } from '../../src/index.js';
import { readUntilSettled } from '../../src/job/wait-for-job.js';
import { Problem } from './problem.js';
import { inTurn } from './turns.js';

/** The time to read the job and send it, when time is short. */
const MARGIN_MS = ms('2s');

/** How long to wait, and what ends the wait early. */
export interface Patience {
  readonly waitMs: number;
  /** Returns the milliseconds until the answer has to be sent. */
  readonly timeLeft: () => number;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * Returns the job once it is settled, or as it is when the time is up or the client has gone. Reads it by its id at growing
 * intervals.
 *
 * @throws NotFoundError, or Problem when a job that was there is gone
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
