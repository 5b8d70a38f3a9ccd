import { Hono, type MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { secureHeaders } from 'hono/secure-headers';
import type { ApiKey } from '../../src/config.js';
import { jsonLogger, type Logger, type RemoteProcessor } from '../../src/index.js';
import { requireKey } from './access.js';
import { accessLog } from './access-log.js';
import { allowOrigins } from './cors.js';
import { dashboardRoutes } from './dashboard/routes.js';
import { answerFailure } from './failure.js';
import { requireKnownHost } from './known-host.js';
import { refuseNeedlessBody } from './no-needless-body.js';
import { requirePlainPath } from './plain-path.js';
import { Problem } from './problem.js';
import { routes } from './routes.js';
import { serveRoutes } from './serve-routes.js';
import { WrongKeys } from './wrong-keys.js';

export interface AppOptions {
  readonly processor: RemoteProcessor;
  /** Who may use the API. With none every request to it is refused. */
  readonly apiKeys: readonly ApiKey[];
  /** Sign the sessions of the dashboard: the first signs, all verify. Default: none, and the dashboard is off. */
  readonly sessionSecrets?: readonly string[];
  /** Tells the callers of the API apart: sets the variable `caller`, or throws. Default: by their keys. */
  readonly identify?: MiddlewareHandler;
  /**
   * The names by which the app may be called, beside loopback's; then pages of other sites may not call it either.
   * Default: any, where names are somebody else's business, such as API Gateway's.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Of other sites whose pages may call the API, with a key; `*` is any. Default: none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Awaited before the database is used: what has to be done once. Default: nothing. */
  readonly ready?: () => Promise<void>;
  /** How many milliseconds there are until an answer has to be on its way. Default: any number. */
  readonly timeLeft?: () => number;
  /** What stands before the path of the request under way, and is not told to the app. Default: nothing. */
  readonly basePath?: () => string;
  /** Default: JSON lines on standard output. */
  readonly log?: Logger;
}

const nothing = async () => {};

const pass: MiddlewareHandler = (_, next) => next();

/**
 * The HTTP API, for Lambda and for any server that speaks the Fetch standard: `GET /health`, which is open, and what
 * routes.ts lists, for callers with a key; and the dashboard, for those who sign in. Outside of that every error is a problem document: see problem.ts.
 */
export function createApp({
  processor,
  apiKeys,
  sessionSecrets = [],
  identify,
  allowedHosts,
  corsOrigins = [],
  ready = nothing,
  timeLeft = () => Number.POSITIVE_INFINITY,
  basePath = () => '',
  log = jsonLogger,
}: AppOptions) {
  const app = new Hono();
  const wrongKeys = new WrongKeys(processor, log);
  app
    .onError(answerFailure(log))
    .notFound(() => nothingHere.toResponse())
    .use(accessLog(log))
    .use(
      secureHeaders({
        contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        overwrite: false, // The dashboard has headers of its own.
      }),
    )
    .use(noStore)
    .use(requirePlainPath)
    .use(allowedHosts ? requireKnownHost(allowedHosts, corsOrigins) : pass)
    .use('/v1/*', corsOrigins.length > 0 ? allowOrigins(corsOrigins) : pass)
    .use(refuseNeedlessBody)
    .use(methodNotAllowed({ app, onMethodNotAllowed: (_, methods) => notAllowed(methods).toResponse() }))
    .get('/health', async (context) => {
      await ready();
      await processor.getJob('health'); // Reads one document, or none: the cheapest question that proves anything.
      return context.json({ status: 'ok' });
    })
    .use('/v1/*', identify ?? requireKey(apiKeys, wrongKeys), async (_, next) => {
      await ready();
      await next();
    })
    .route('/', dashboardRoutes({ processor, apiKeys, sessionSecrets, wrongKeys, ready, log }))
    .route('/', serveRoutes(routes, { processor, timeLeft, basePath }));
  return app;
}

/** What one key may read must not lie in a cache for another. */
const noStore = createMiddleware(async (context, next) => {
  await next();
  if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store');
});

const nothingHere = new Problem('route_not_found', {
  detail: 'See README.md, or GET /v1/openapi.json, for the addresses.',
});

function notAllowed(methods: readonly string[]): Problem {
  const allow = methods.join(', ');
  return new Problem('method_not_allowed', { detail: `Allowed here: ${allow}`, headers: { allow } });
}
