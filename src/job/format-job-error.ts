import type { JobError } from './job.js';

/** Formats an entry of a job's errors as the text that `getJobErrors` returns. */
export type JobErrorFormatter = (error: JobError) => string;

/**
 * Formats an error as `[2026-01-31T09:05:06+00:00] An error occurred.` by default. Appends causes whose messages add
 * something: `[…] fetch failed (connect ECONNREFUSED 10.0.0.1:80)`.
 */
export const formatJobError: JobErrorFormatter = ({ at, message, causes = [] }) => {
  const reasons = causes.map((cause) => cause.message).filter((reason) => !message.includes(reason));
  const behind = reasons.length === 0 ? '' : ` (${[...new Set(reasons)].join('; ')})`;
  return `[${at.toISOString().replace(/\.\d{3}Z$/, '+00:00')}] ${message}${behind}`;
};
