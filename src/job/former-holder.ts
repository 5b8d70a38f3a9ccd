import type { JobDocument } from './job.js';

/** A job that was removed, changed or cancelled, and the places in limits that it had before. */
export type FormerHolder = Pick<JobDocument, 'jobName' | 'limits' | 'slots' | 'blockedBy'>;

/** The fields of a `FormerHolder`. */
export const holderFields = { jobName: 1, limits: 1, slots: 1, blockedBy: 1 } as const;
