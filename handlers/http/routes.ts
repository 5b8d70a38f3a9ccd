import type { Route } from './route.js';
import { auditRoutes } from './routes/audit.js';
import { batchRoutes } from './routes/batches.js';
import { failureRoutes } from './routes/failures.js';
import { jobFactoryRoutes } from './routes/job-factories.js';
import { jobRoutes } from './routes/jobs.js';
import { kindRoutes } from './routes/kinds.js';
import { limitRoutes } from './routes/limits.js';
import { markRoutes } from './routes/marks.js';
import { openApiRoutes } from './routes/openapi.js';
import { operationRoutes } from './routes/operations.js';
import { queueRoutes } from './routes/queues.js';
import { schedulerRoutes } from './routes/schedulers.js';
import { statisticsRoutes } from './routes/statistics.js';
import { verdictRoutes } from './routes/verdict.js';
import { workerRoutes } from './routes/workers.js';
import { workflowRoutes } from './routes/workflows.js';

/** All operations of the API, in the order of the OpenAPI document. */
export const routes: readonly Route[] = [
  ...jobRoutes,
  ...failureRoutes,
  ...operationRoutes,
  ...batchRoutes,
  ...workflowRoutes,
  ...jobFactoryRoutes,
  ...schedulerRoutes,
  ...queueRoutes,
  ...limitRoutes,
  ...workerRoutes,
  ...auditRoutes,
  ...statisticsRoutes,
  ...verdictRoutes,
  ...kindRoutes,
  ...markRoutes,
  ...openApiRoutes(() => routes),
];
