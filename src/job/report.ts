import type { Document } from 'mongodb';
import type { HeldLease } from './job.js';
import type { LoggedText } from './log-line.js';
import type { CursorWrite } from './step-log.js';
import { storeCursors } from './step-statements.js';

/** Maximum number of lines kept. Older ones are dropped. */
export const MAX_LOG_LINES = 100;

/**
 * Reports of a running job that may not be stored yet. Values and lines are numbered within an attempt, and the lease
 * keeps the numbers already stored. So a report may be sent twice or late.
 */
export interface Report {
  /** The last value, and how many values the attempt has reported. */
  readonly progress?: { readonly told: number; readonly value: unknown };
  /** The last lines, and how many lines the attempt has reported. */
  readonly log?: { readonly told: number; readonly lines: readonly ToldLine[] };
  /** Places at which iterations go on. */
  readonly cursors?: readonly CursorWrite[];
}

/** A line that is not stored yet. `agoMs` is its age, from which the database's clock computes its time. */
export interface ToldLine extends LoggedText {
  readonly agoMs: number;
  readonly attempt: number;
}

/** A report and the lease it belongs to. */
export interface LeasedReport extends HeldLease {
  readonly report: Report;
}

/**
 * Returns the update stages that store a report. The caller's filter names the lease. Storing a report again, or after
 * a later one, changes nothing. The stages may precede those of `endAttempt`.
 */
export function storeReport({ progress, log, cursors = [] }: Report): Document[] {
  return [
    ...(progress ? [storeProgress(progress)] : []),
    ...(log ? [storeLines(log)] : []),
    ...storeCursors(cursors),
  ];
}

function storeProgress({ told, value }: NonNullable<Report['progress']>): Document {
  const before = { $ifNull: ['$lease.reported.progress', 0] };
  return {
    $set: {
      progress: { $cond: [{ $gt: [told, before] }, { $literal: value }, '$progress'] },
      'lease.reported.progress': { $max: [told, before] },
    },
  };
}

function storeLines({ told, lines }: NonNullable<Report['log']>): Document {
  const before = { $ifNull: ['$lease.reported.lines', 0] };
  const news = { $max: [{ $subtract: [told, before] }, 0] };
  const newLines = { $slice: [lines.map(toEntry), { $subtract: [0, news] }] };
  const all = { $concatArrays: [{ $ifNull: ['$log.lines', []] }, newLines] };
  return {
    $set: {
      'log.told': { $add: [{ $ifNull: ['$log.told', 0] }, news] },
      'log.lines': { $slice: [all, -MAX_LOG_LINES] },
      'lease.reported.lines': { $max: [told, before] },
    },
  };
}

function toEntry({ agoMs, attempt, message, fields }: ToldLine): Document {
  return {
    at: { $subtract: ['$$NOW', Math.round(agoMs)] },
    attempt,
    message: { $literal: message },
    ...(fields !== undefined && { fields: { $literal: fields } }),
  };
}
