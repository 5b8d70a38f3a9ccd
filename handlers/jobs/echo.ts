import * as z from 'zod';
import { defineJob } from '../../src/index.js';

/** Returns its input. This shows that a job can be added, run and read. */
export const echo = defineJob({
  name: 'echo',
  input: z.record(z.string(), z.unknown()),
  run: async ({ input }) => input,
});
