import { jobs } from './jobs.js';
import { createWorkerHandler } from './worker-handler.js';

/** Runs jobs. EventBridge invokes it every minute, and so do kicks. */
export const handler = createWorkerHandler({ jobs });
