import { jobs } from './jobs.js';
import { createSchedulerHandler } from './scheduler-handler.js';
import { schedules } from './schedules.js';

/** Makes the jobs of due scheduler items. EventBridge invokes it every minute. */
export const handler = createSchedulerHandler({ jobs, schedules });
