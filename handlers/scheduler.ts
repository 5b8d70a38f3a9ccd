import { jobs } from './jobs.js';
import { createSchedulerHandler } from './scheduler-handler.js';
import { schedules } from './schedules.js';

/** EventBridge starts this every minute. */
export const handler = createSchedulerHandler({ jobs, schedules });
