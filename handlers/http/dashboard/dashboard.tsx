import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { secureHeaders } from 'hono/secure-headers';
import type { ApiKey } from '../../../src/config.js';
import type { Logger, RemoteProcessor } from '../../../src/index.js';
import { Problem } from '../problem.js';
import { EndedSessions } from '../session/ended-sessions.js';
import { requireSameOrigin } from '../session/same-origin.js';
import { renewSession } from '../session/session.js';
import { signInRoutes } from '../session/sign-in.js';
import { inTurn } from '../turns.js';
import type { WrongKeys } from '../wrong-keys.js';
import { apiRoutes } from './api-reference.js';
import { assetRoutes } from './assets.js';
import { auditRoutes } from './audit.js';
import { auditForms } from './audit-forms.js';
import type { DashboardEnvironment } from './environment.js';
import { answerWithPage } from './failure-page.js';
import { failureRoutes } from './failures.js';
import { batchRoutes, workflowRoutes } from './groups.js';
import { jobFactoryRoutes } from './job-factories.js';
import { jobRoutes } from './jobs.js';
import { kindRoutes } from './kinds.js';
import { LatestState } from './latest-state.js';
import { limitRoutes } from './limits.js';
import { lookRoutes } from './look.js';
import { newSchedulerRoutes } from './new-scheduler.js';
import { operationRoutes } from './operations.js';
import { overviewRoutes } from './overview.js';
import {
  apiPath,
  auditPath,
  batchesPath,
  failuresPath,
  findJobPath,
  jobPath,
  kindsPath,
  limitsPath,
  lookPath,
  newSchedulerPath,
  operationsPath,
  queuesPath,
  workersPath,
  workflowsPath,
} from './paths.js';
import { queueRoutes } from './queues.js';
import { requireSession } from './require-session.js';
import { schedulerRoutes } from './schedulers.js';
import { workerRoutes } from './workers.js';

export interface DashboardOptions {
  readonly processor: RemoteProcessor;
  readonly apiKeys: readonly ApiKey[];
  readonly sessionSecrets: readonly string[];
  readonly wrongKeys: WrongKeys;
  readonly ready: () => Promise<void>;
  readonly log: Logger;
}

/**
 * Makes the pages on which people manage jobs. Each page is rendered on the server and works by links and forms alone.
 * A script reads the page repeatedly to keep it up to date (client/live.ts).
 */
export function createDashboard(options: DashboardOptions): Hono<DashboardEnvironment> {
  const { processor, apiKeys, sessionSecrets, ready, log } = options;
  const endedSessions = new EndedSessions(processor);
  const state = new LatestState(processor, log);
  return new Hono<DashboardEnvironment>()
    .onError(answerWithPage(log))
    .notFound(({ req }) => {
      throw new Problem('route_not_found', { detail: `There is nothing at ${req.path}.` });
    })
    .use(securityHeaders)
    .use(compress({ encoding: 'gzip' }))
    .use(requireSameOrigin)
    .route('/dashboard/assets', assetRoutes)
    .use(async ({ env }, next) => {
      await ready();
      if (env.session && (await endedSessions.has(env.session))) env.session = undefined;
      await next();
    })
    .route('/', signInRoutes({ ...options, endedSessions }))
    .use(requireSession)
    .use(async (context, next) => {
      context.set('state', state);
      await next();
      if (context.req.method === 'POST') state.forget();
    })
    .use(auditForms(processor, log))
    .get('/dashboard/*', (_, next) => inTurn(next))
    .use(async (context, next) => {
      await next();
      // A page refreshes itself even if nobody looks at it, so only requests by a person renew the session.
      const isByPerson = context.req.header('x-refresh') === undefined;
      if (isByPerson) await renewSession(context, sessionSecrets, apiKeys, context.get('session'));
    })
    .get('/dashboard', (context) => context.redirect('/', 303))
    .get(findJobPath, ({ req, redirect }) => redirect(jobPath(req.query('id')?.trim() ?? ''), 303))
    .route('/', overviewRoutes(processor))
    .route('/dashboard/jobs', jobRoutes(processor))
    .route(failuresPath, failureRoutes(processor))
    .route(kindsPath, kindRoutes(processor))
    .route(operationsPath, operationRoutes(processor))
    .route('/dashboard/job-factories', jobFactoryRoutes(processor))
    .route(batchesPath, batchRoutes(processor))
    .route(workflowsPath, workflowRoutes(processor))
    .route(queuesPath, queueRoutes(processor))
    .route(limitsPath, limitRoutes(processor))
    .route(auditPath, auditRoutes(processor))
    .route(apiPath, apiRoutes())
    .route(workersPath, workerRoutes(processor))
    .route(lookPath, lookRoutes())
    .route('/dashboard/schedulers', schedulerRoutes(processor))
    .route(newSchedulerPath(), newSchedulerRoutes(processor));
}

/** Lets pages load only from this server. Nothing in a page's content can run as a script or apply styles. */
const securityHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
  // With `no-referrer`, browsers send forms with `Origin: null`.
  referrerPolicy: 'same-origin',
});
