import { jobs } from './jobs.js';
import { createWorkerHandler } from './worker-handler.js';

/** EventBridge starts this every minute, and so do kicks. */
export const handler = createWorkerHandler({ jobs });
