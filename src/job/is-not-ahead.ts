import type { Document } from 'mongodb';

/** The condition on each job that is deleted: one that was made ahead of its occurrence stays until then, see remove-jobs.ts. */
export const isNotAhead: Document = { $not: { $gt: ['$occurrence.at', '$$NOW'] } };
