import { setTimeout as sleep } from 'node:timers/promises';
import ms from 'ms';
import { type Job, NotFoundError, type RemoteProcessor } from '../../src/index.js';
import { isSettled } from '../../src/job/job.js';
import { Problem } from './problem.js';
import { inTurn } from './turns.js';

/** A short job is seen at once, and a long one costs one small read a second. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = ms('1s');

/** To read the job and send it, when time is short. */
const MARGIN_MS = ms('2s');

/** How long to wait, and what ends it before. */
export interface Patience {
  readonly waitMs: number;
  /** Until the answer has to be on its way. */
  readonly timeLeft: () => number;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * The job, once it is settled, or as it is when the time is up or nobody listens any more. It is read by its id at
 * growing intervals.
 *
 * @throws NotFoundError; Problem when the job is gone that was there before
 */
export async function waitForJob(
  processor: RemoteProcessor,
  id: string,
  { waitMs, timeLeft, signal }: Patience,
): Promise<Job> {
  const end = performance.now() + Math.min(waitMs, timeLeft() - MARGIN_MS);
  const isOver = () => performance.now() >= end || signal.aborted;
  let wasThere = false;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const found = await look(processor, id, isOver);
    if (found === 'none') throw wasThere ? gone(id) : new NotFoundError('job', id);
    if (found !== 'unsettled') return found;
    wasThere = true;
    const left = Math.max(0, end - performance.now());
    await sleep(Math.min(pause, left), undefined, { signal }).catch(() => {}); // It is read once more.
  }
}

/** The job, if it is to be shown now. One that is not is not kept: it may be large, and many may be waited for. */
async function look(
  processor: RemoteProcessor,
  id: string,
  isOver: () => boolean,
): Promise<Job | 'none' | 'unsettled'> {
  const job = await inTurn(() => processor.getJob(id));
  if (!job) return 'none';
  return isSettled(job.status) || isOver() ? job : 'unsettled';
}

function gone(id: string): Problem {
  const detail = `The job with the id '${id}' is gone: it ended and is not kept (its retention), or it was removed.`;
  return new Problem('not_found', { detail });
}
