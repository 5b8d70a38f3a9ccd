import type { DeclaredScheduler } from '../src/index.js';

/**
 * The scheduler items that this deployment declares. Add your own here. A new container of the scheduler function adds
 * or changes the items in this list when it starts. It deactivates items that were removed from the list.
 */
export const schedules: DeclaredScheduler[] = [
  {
    id: 'remove-old-jobs',
    title: 'Removes jobs that were settled 90 days ago',
    description: "For jobs whose retention is 'forever'. Activate it to use it.",
    type: 'Cron',
    cron: '30 3 * * SUN',
    jobName: 'removeOldJobs',
    input: { olderThan: '90 days' },
    active: false,
  },
];
