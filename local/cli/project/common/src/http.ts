import { createHttpHandler } from 'remote-processor/lambda';
import { jobs } from './jobs.js';

export const handler = createHttpHandler({ jobs });
