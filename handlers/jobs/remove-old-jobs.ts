import * as z from 'zod';
import { durationSchema } from '../../src/duration.js';
import { defineJob, settledStatuses } from '../../src/index.js';

/**
 * Maintenance: removes jobs that settled at least `olderThan` ago, and returns how many per status. There is no
 * default age: what is removed is gone.
 *
 * @example processor.addJob('removeOldJobs', { olderThan: '30 days', statuses: ['completed', 'cancelled'] })
 */
export const removeOldJobs = defineJob({
  name: 'removeOldJobs',
  addRole: 'admin', // As to remove jobs in any other way.
  input: z.strictObject({
    olderThan: durationSchema,
    statuses: z
      .array(z.enum(settledStatuses))
      .min(1)
      .default([...settledStatuses]),
  }),
  run: async ({ input: { olderThan, statuses }, processor, signal }) => {
    const removed = await processor.removeJobs(statuses, { olderThan, signal });
    // Told to stop, it has not done all that it was asked for: the next attempt goes on.
    signal.throwIfAborted();
    return removed;
  },
});
