import { type DeclaredScheduler, defineJob } from 'remote-processor';
import * as z from 'zod';

/** An example. Replace it with a job of your application. */
export const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string().min(1) }),
  run: ({ input, log }) => {
    log('Greeting', { name: input.name });
    return `Hello, ${input.name}`;
  },
});

/** The jobs that the worker runs. */
export const jobs = { greet };

/** Each deployment takes over these schedules. */
export const schedules: DeclaredScheduler[] = [
  {
    id: 'good-morning',
    type: 'Cron',
    cron: '0 8 * * MON-FRI',
    timeZone: 'Europe/Berlin',
    jobName: 'greet',
    input: { name: 'everybody' },
    active: true,
  },
];
