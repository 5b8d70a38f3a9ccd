import { createSchedulerHandler } from 'remote-processor/lambda';
import { jobs, schedules } from './jobs.js';

export const handler = createSchedulerHandler({ jobs, schedules });
