import { setTimeout } from 'node:timers/promises';
import { type DeclaredScheduler, defineJob } from 'remote-processor';
import { z } from 'zod';

const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string() }),
  run: async ({ input, signal }) => {
    await setTimeout(1_000, undefined, { signal }); // At SIGTERM the signal fires, and the job is given back.
    return `Hello, ${input.name}`;
  },
});

/** The job factories of `work`, `schedule` and `start`. */
export const jobs = [greet];

/** The scheduler items of `schedule` and `start`. */
export const schedules: DeclaredScheduler[] = [
  { id: 'hourly', type: 'Delay', delay: '1h', jobName: 'greet', input: { name: 'everybody' }, active: true },
];
