import type { Document } from 'mongodb';
import { whenQueued } from './leave-processing.js';
import type { AttemptOutcome } from './past-attempt.js';

/** Maximum number of past attempts that a job keeps. Older ones are dropped. */
const MAX_PAST = 20;

/**
 * Returns an expression for the past attempts. Includes the attempt that has just ended if the job is queued again. If that
 * attempt settled the job, the job's own times describe it.
 */
export function ifQueuedAgain(outcome: AttemptOutcome): Document {
  return whenQueued(appended({ ended: '$$NOW', outcome }), '$attempts');
}

/** An expression for the past attempts of a settled job that is queued again. Includes its last attempt. */
export const withLastAttempt: Document = {
  $cond: [
    {
      $and: [
        { $gte: ['$picked', '$queued'] },
        { $eq: [{ $type: '$started' }, 'date'] },
        { $ne: [{ $arrayElemAt: [{ $ifNull: ['$attempts.claimed', []] }, -1] }, '$picked'] },
      ],
    },
    appended({ ended: '$completed', outcome: '$status' }),
    '$attempts',
  ],
};

function appended(ending: Document): Document {
  const entry = { attempt: '$retryCounter', queued: '$queued', claimed: '$picked', ...ending };
  return { $slice: [{ $concatArrays: [{ $ifNull: ['$attempts', []] }, [entry]] }, -MAX_PAST] };
}
