import type { SchedulerOptions } from '../../src/index.js';
import type { SchedulerItemDocument } from '../../src/scheduler/item.js';
import { jobNames } from './plan-jobs.js';

const shared = { jobName: jobNames.worker, input: { n: -1, fate: 'return', group: 0 }, active: true };

/** The scheduler items of a run. */
export const schedulerItems: readonly SchedulerOptions[] = [
  { ...shared, id: 'each-second-0', type: 'Delay', delay: '1s' },
  { ...shared, id: 'each-second-1', type: 'Delay', delay: '1s', jobName: jobNames.guarded },
  { ...shared, id: 'each-second-and-all', type: 'Delay', delay: '1s', catchUp: 'all' },
  { ...shared, id: 'each-fifth-second', type: 'Cron', cron: '*/5 * * * * *' },
];

/** Returns the time between two occurrences of such an item, in milliseconds. */
export function periodOf(item: SchedulerItemDocument): number {
  return item.type === 'Delay' ? item.delay : 5_000;
}
