import type { Document } from 'mongodb';
import { attemptNotUsedUp, retryOrError, unlessStepped, withAttemptsToUndo } from './attempt-counters.js';
import { failureDigest, LOST_MESSAGE } from './failure-key.js';
import { unslottedAfterError } from './held-places.js';
import { ifQueuedAgain } from './kept-attempts.js';
import { failedLike, withError } from './kept-errors.js';
import { keepingKey, leaveProcessing } from './leave-processing.js';
import { beginToUndo, hasStepped } from './step-statements.js';

/**
 * Ends an attempt whose worker let its lease expire, and records which worker lost it and when.
 *
 * An attempt that stored a step is not used up: the job has made progress, and does not repeat that step.
 *
 * @param inCompany whether other jobs ran in that worker. Any of them may have killed it, so none uses up an attempt,
 *   and each runs alone next time, which shows the culprit
 */
export function endLostAttempt(inCompany: boolean): Document[] {
  const changes = changesOfLost(lostMessage(inCompany));
  const ended = inCompany
    ? leaveProcessing('queued', { ...attemptNotUsedUp, ...changes })
    : [
        ...leaveProcessing({ $cond: [hasStepped, 'queued', retryOrError] }, { ...changes, ...unlessStepped }),
        keepingKey,
      ];
  return [...ended, unslottedAfterError];
}

/**
 * Does what `endLostAttempt` does, for the last attempt of a job that was alone and whose steps can be undone. The next
 * attempts undo them.
 */
export function undoLostAttempt(): Document[] {
  const message = lostMessage(false);
  const changes = { ...attemptNotUsedUp, ...changesOfLost(message), maxRetries: withAttemptsToUndo };
  return [beginToUndo(message), ...leaveProcessing('queued', changes), unslottedAfterError];
}

function changesOfLost(message: Document): Document {
  // Without the token, a late outcome cannot take this ending for its own.
  const key = failedLike(failureDigest({ message: LOST_MESSAGE }));
  return {
    ...withError({ message }),
    attempts: ifQueuedAgain('lost'),
    failureKey: key,
    runAlone: true,
    claimable: '$$REMOVE',
    lastToken: '$$REMOVE',
  };
}

function lostMessage(inCompany: boolean): Document {
  return {
    $concat: [
      'worker ',
      '$lease.worker',
      ' lost its lease: the attempt began at ',
      { $toString: '$started' },
      ', the lease expired at ',
      { $toString: '$lease.expires' },
      ', and was found at ',
      { $toString: '$$NOW' },
      inCompany ? '; other jobs ran beside it, so it is run alone next' : '',
    ],
  };
}
