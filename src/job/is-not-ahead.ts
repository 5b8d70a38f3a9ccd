import type { Document } from 'mongodb';

/** A condition for deleting jobs. A job made ahead of its occurrence must stay until then. See remove-jobs.ts. */
export const isNotAhead: Document = { $not: { $gt: ['$occurrence.at', '$$NOW'] } };
