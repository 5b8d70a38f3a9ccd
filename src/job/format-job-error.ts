import type { JobError } from './job.js';

/** Turns an entry of a job's errors into the text that `getJobErrors` gives. */
export type JobErrorFormatter = (error: JobError) => string;

/**
 * The default: `[2026-01-31T09:05:06+00:00] An error occurred.`, and what was behind it, where that says more:
 * `[…] fetch failed (connect ECONNREFUSED 10.0.0.1:80)`.
 */
export const formatJobError: JobErrorFormatter = ({ at, message, causes = [] }) => {
  const reasons = causes.map((cause) => cause.message).filter((reason) => !message.includes(reason));
  const behind = reasons.length === 0 ? '' : ` (${[...new Set(reasons)].join('; ')})`;
  return `[${at.toISOString().replace(/\.\d{3}Z$/, '+00:00')}] ${message}${behind}`;
};
