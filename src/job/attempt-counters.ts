import { unlessAlone, whenQueued } from './leave-processing.js';
import { hasStepped } from './step-statements.js';

/** The status after a failure: queued as long as attempts are left. */
export const retryOrError = { $cond: [{ $gte: ['$retryCounter', '$maxRetries'] }, 'error', 'queued'] };

/**
 * Fields of a job whose attempt does not count. As many attempts are left as before. A job that had to run alone still has
 * to.
 */
export const attemptNotUsedUp = {
  retryCounter: { $subtract: ['$retryCounter', 1] },
  givenBackCounter: { $add: ['$givenBackCounter', 1] },
  runAlone: '$runAlone',
  claimable: whenQueued(unlessAlone, '$$REMOVE'),
};

/** Keeps the counter if an attempt was stopped or never began. Such an attempt does not show whether the job fits. */
export const stillUnfinished = { unfinishedCounter: '$unfinishedCounter' };

const deathsBefore = { $ifNull: ['$lostCounter', 0] };

/**
 * Gives back the attempts that deaths of workers used up, if this attempt stored a step. So a long job survives many deaths
 * of workers. It ends in `error` only if too many workers die in a row, and the job stores no step in between.
 */
export const moreAttempts = {
  maxRetries: { $add: ['$maxRetries', { $cond: [hasStepped, deathsBefore, 0] }] },
  lostCounter: { $cond: [hasStepped, '$$REMOVE', '$lostCounter'] },
};

/** The counters of an attempt that is used up unless it stored a step. */
export const unlessStepped = {
  ...moreAttempts,
  retryCounter: { $subtract: ['$retryCounter', { $cond: [hasStepped, 1, 0] }] },
  givenBackCounter: { $add: ['$givenBackCounter', { $cond: [hasStepped, 1, 0] }] },
  lostCounter: { $cond: [hasStepped, '$$REMOVE', { $add: [deathsBefore, 1] }] },
};

/** A job that fails for good has this many attempts to undo its steps, since its worker may die meanwhile. */
const ATTEMPTS_TO_UNDO = 5;

/** The limit of attempts that leaves enough of them for undoing. */
export const withAttemptsToUndo = {
  $max: ['$maxRetries', { $add: ['$retryCounter', ATTEMPTS_TO_UNDO - 1] }],
};
