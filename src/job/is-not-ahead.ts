import type { Document } from 'mongodb';

/** Condition for deleting a job. A job made ahead of its occurrence stays until then. See remove-jobs.ts. */
export const isNotAhead: Document = { $not: { $gt: ['$occurrence.at', '$$NOW'] } };
