import type { Route } from './route.js';
import { jobRoutes } from './routes/jobs.js';

/** All operations of the API, in the order of the OpenAPI document. */
export const routes: readonly Route[] = [...jobRoutes];
