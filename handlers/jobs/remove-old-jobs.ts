import * as z from 'zod';
import { durationSchema } from '../../src/duration.js';
import { defineJob, settledStatuses } from '../../src/index.js';

/**
 * Removes jobs that settled at least `olderThan` ago, and returns how many per status. There is no default age, because
 * removed jobs are gone.
 *
 * @example processor.addJob('removeOldJobs', { olderThan: '30 days', statuses: ['completed', 'cancelled'] })
 */
export const removeOldJobs = defineJob({
  name: 'removeOldJobs',
  addRole: 'admin', // As for any other removal of jobs.
  input: z.strictObject({
    olderThan: durationSchema,
    statuses: z
      .array(z.enum(settledStatuses))
      .min(1)
      .default([...settledStatuses]),
  }),
  run: async ({ input: { olderThan, statuses }, processor, signal }) => {
    const removed = await processor.removeJobs(statuses, { olderThan, signal });
    // A job that was told to stop has not removed everything. The next attempt goes on.
    signal.throwIfAborted();
    return removed;
  },
});
