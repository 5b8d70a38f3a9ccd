import { jobs } from './jobs.js';
import { createWorkerHandler } from './worker-handler.js';

/** Started by EventBridge every minute, and by kicks. */
export const handler = createWorkerHandler({ jobs });
