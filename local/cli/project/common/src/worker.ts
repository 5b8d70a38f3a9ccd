import { createWorkerHandler } from 'remote-processor/lambda';
import { jobs } from './jobs.js';

export const handler = createWorkerHandler({ jobs });
