import { defineJob } from 'remote-processor';
import { z } from 'zod';

export const confirmOrder = defineJob({
  name: 'confirmOrder',
  input: z.object({ order: z.string().regex(/^\w{1,50}$/), email: z.email() }),
  run: ({ input }) => `Confirmed order ${input.order} to ${input.email}.`,
});

/** What `npm run work` runs. */
export const jobs = [confirmOrder];
