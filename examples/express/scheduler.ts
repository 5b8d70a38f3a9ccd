import { createSchedulerHandler } from 'remote-processor/lambda';
import { jobs } from './jobs.js';

export const handler = createSchedulerHandler({ jobs });
