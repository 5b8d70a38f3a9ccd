/** The module for `--jobs`, with a user's own jobs and schedules. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type DeclaredScheduler, defineJob } from '../../../src/index.js';

/** Ends when its signal fires. */
const patient = defineJob({
  name: 'patient',
  run: async ({ signal }) => {
    await sleep(600_000, undefined, { signal });
  },
});

/** Ignores its signal. */
const stubborn = defineJob({ name: 'stubborn', run: () => sleep(600_000) });

const quick = defineJob({ name: 'quick', run: async () => 'done' });

export const jobs = [patient, stubborn, quick];

export const schedules: DeclaredScheduler[] = [
  { id: 'past', type: 'At', at: '2020-01-01T00:00:00Z', jobName: 'quick', active: true },
];
