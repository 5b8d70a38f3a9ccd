import type { Document } from 'mongodb';
import type { Failure, Outcome } from './outcome.js';

/**
 * The one door out of `processing`: the update pipeline that ends an attempt, whoever ends it.
 *
 * The document decides what follows (cancelled? attempts left? how long to wait?), not the worker's copy of
 * it, so a change made meanwhile by `cancelJob` or `updateJob` counts. A caller's filter names the lease; 0
 * matched means that the lease is somebody else's by now, and that nothing was changed.
 *
 * Every value that is not ours stands inside `$literal`: nothing a user sends is evaluated.
 */
export function endAttempt(outcome: Outcome): Document[] {
  switch (outcome.kind) {
    case 'completed':
      return ending('completed', { output: whenCompleted({ $literal: outcome.output ?? null }) });
    case 'failed':
      return ending(outcome.retryable ? retryOrError : 'error', {
        errors: withError(literalFailure(outcome.failure)),
        runAt: whenQueued({ $add: ['$$NOW', '$retryDelay'] }, '$runAt'),
      });
    case 'givenBack':
      return ending('queued', {
        retryCounter: { $subtract: ['$retryCounter', 1] },
        givenBackCounter: { $add: ['$givenBackCounter', 1] },
      });
  }
}

/** Ends an attempt whose worker let its lease expire. It uses up the attempt, and says who lost it and when. */
export function endLostAttempt(): Document[] {
  const message = {
    $concat: [
      'worker ',
      '$lease.worker',
      ' lost its lease: it began at ',
      { $toString: '$started' },
      ', the lease expired at ',
      { $toString: '$lease.expires' },
      ', and it was found at ',
      { $toString: '$$NOW' },
    ],
  };
  return ending(retryOrError, { errors: withError({ message }) });
}

const retryOrError = { $cond: [{ $gte: ['$retryCounter', '$maxRetries'] }, 'error', 'queued'] };

/**
 * Stage by stage: the status first, then what depends on it. `changes` may refer to the new status through
 * whenQueued and whenCompleted.
 */
function ending(statusUnlessCancelled: string | Document, changes: Document): Document[] {
  const isCancelled = { $ne: [{ $type: '$cancelRequested' }, 'missing'] };
  return [
    {
      $set: {
        status: { $cond: [isCancelled, 'cancelled', statusUnlessCancelled] },
        lastToken: '$lease.token',
      },
    },
    {
      $set: {
        ...changes,
        queued: whenQueued('$$NOW', '$queued'),
        completed: whenQueued('$$REMOVE', '$$NOW'),
        uniqueKey: whenQueued('$uniqueKey', '$$REMOVE'),
      },
    },
    { $unset: ['lease'] },
  ];
}

function whenQueued(then: unknown, otherwise: unknown): Document {
  return { $cond: [{ $eq: ['$status', 'queued'] }, then, otherwise] };
}

function whenCompleted(then: unknown): Document {
  return { $cond: [{ $eq: ['$status', 'completed'] }, then, '$$REMOVE'] };
}

function withError(failure: Document): Document {
  const entry = { at: '$$NOW', ...failure, attempt: '$retryCounter' };
  return { $concatArrays: ['$errors', [entry]] };
}

function literalFailure({ message, stack }: Failure): Document {
  return { message: { $literal: message }, ...(stack === undefined ? {} : { stack: { $literal: stack } }) };
}
