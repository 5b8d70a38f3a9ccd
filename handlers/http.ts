import { createHttpHandler } from './http-handler.js';
import { jobs } from './jobs.js';

/** Serves the HTTP API of API Gateway. */
export const handler = createHttpHandler({ jobs });
