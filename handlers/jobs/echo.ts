import * as z from 'zod';
import { defineJob } from '../../src/index.js';

/** Returns its input, which shows that the whole path works. */
export const echo = defineJob({
  name: 'echo',
  input: z.record(z.string(), z.unknown()),
  run: async ({ input }) => input,
});
