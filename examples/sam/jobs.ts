import { defineJob } from 'remote-processor';
import { z } from 'zod';

const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string() }),
  run: ({ input }) => `Hello, ${input.name}`,
});

export const jobs = [greet];
