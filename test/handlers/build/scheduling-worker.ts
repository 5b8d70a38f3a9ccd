import { createWorkerHandler } from '../../../handlers/lambda.js';
import { defineJob } from '../../../src/index.js';

/** A worker with a job that adds a scheduler item. */
export const handler = createWorkerHandler({
  jobs: [
    defineJob({
      name: 'plan',
      run: ({ processor }) => processor.addScheduler({ type: 'Cron', cron: '0 9 * * MON', jobName: 'plan' }),
    }),
  ],
});
