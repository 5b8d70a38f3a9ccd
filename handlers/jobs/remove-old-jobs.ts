import * as z from 'zod';
import { durationSchema } from '../../src/duration.js';
import { defineJob, settledStatuses } from '../../src/index.js';

/**
 * Removes jobs that settled at least `olderThan` ago, and returns the number per status. There is no default age,
 * because removal is final.
 *
 * @example processor.addJob('removeOldJobs', { olderThan: '30 days', statuses: ['completed', 'cancelled'] })
 */
export const removeOldJobs = defineJob({
  name: 'removeOldJobs',
  addRole: 'admin', // As for any other way to remove jobs.
  input: z.strictObject({
    olderThan: durationSchema,
    statuses: z
      .array(z.enum(settledStatuses))
      .min(1)
      .default([...settledStatuses]),
  }),
  run: async ({ input: { olderThan, statuses }, processor, signal }) => {
    const removed = await processor.removeJobs(statuses, { olderThan, signal });
    // If the job was told to stop, jobs may be left. The next attempt removes them.
    signal.throwIfAborted();
    return removed;
  },
});
