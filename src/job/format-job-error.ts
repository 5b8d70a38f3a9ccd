import type { JobError } from './job.js';

/** Turns an entry of a job's errors into the text that `getJobErrors` gives. */
export type JobErrorFormatter = (error: JobError) => string;

/** The default: `[2026-01-31T09:05:06+00:00] An error occurred.` */
export const formatJobError: JobErrorFormatter = ({ at, message }) =>
  `[${at.toISOString().replace(/\.\d{3}Z$/, '+00:00')}] ${message}`;
