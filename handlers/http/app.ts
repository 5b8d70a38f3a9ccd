import { Hono, type MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { secureHeaders } from 'hono/secure-headers';
import type { ApiKey } from '../../src/config.js';
import { jsonLogger, type Logger, type RemoteProcessor } from '../../src/index.js';
import { requireKey } from './access.js';
import { accessLog } from './access-log.js';
import { callbackRoutes } from './callbacks/routes.js';
import { allowOrigins } from './cors.js';
import { dashboardRoutes } from './dashboard/routes.js';
import { answerFailure } from './failure.js';
import { requireKnownHost } from './known-host.js';
import { refuseNeedlessBody } from './no-needless-body.js';
import { requirePlainPath } from './plain-path.js';
import { Problem } from './problem.js';
import { readinessOf } from './readiness.js';
import { routes } from './routes.js';
import { serveRoutes } from './serve-routes.js';
import { WrongKeys } from './wrong-keys.js';

export interface AppOptions {
  readonly processor: RemoteProcessor;
  /** The keys that may use the API. Without any key, every request to the API is refused. */
  readonly apiKeys: readonly ApiKey[];
  /**
   * Secrets that sign the dashboard's sessions. The first signs, all verify. Default: none, and the dashboard is off.
   */
  readonly sessionSecrets?: readonly string[];
  /**
   * Middleware that identifies callers of the API. It sets the variable `caller`, or throws. Default: by their keys.
   */
  readonly identify?: MiddlewareHandler;
  /**
   * Host names by which the app may be called, besides loopback's. If set, pages of other sites may not call the app.
   * Default: any, for use behind something that checks names, such as API Gateway.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins of other sites whose pages may call the API with a key. `*` means any. Default: none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Awaited before the database is used, for work that must be done once. Default: nothing. */
  readonly ready?: () => Promise<void>;
  /** Returns whether this process works, for `GET /health/live`. Default: always true. */
  readonly isAlive?: () => boolean;
  /** Returns the milliseconds until an answer must be sent. Default: infinite. */
  readonly timeLeft?: () => number;
  /** Returns the base path of the current request, which the app itself does not see. Default: empty. */
  readonly basePath?: () => string;
  /** The log. Default: JSON lines on standard output. */
  readonly log?: Logger;
}

const nothing = async () => {};

const pass: MiddlewareHandler = (_, next) => next();

/**
 * Makes the HTTP API, for Lambda and for any server that uses the Fetch standard. Anyone may ask `GET /health` whether
 * it can serve, and `GET /health/live` whether to restart it. The routes in routes.ts are for callers with a key. The
 * dashboard is for people who sign in. Callbacks are for whoever has their link. The dashboard and the pages of
 * callbacks show errors as pages. Every other error is a problem document, see problem.ts.
 */
export function createApp({
  processor,
  apiKeys,
  sessionSecrets = [],
  identify,
  allowedHosts,
  corsOrigins = [],
  ready = nothing,
  isAlive = () => true,
  timeLeft = () => Number.POSITIVE_INFINITY,
  basePath = () => '',
  log = jsonLogger,
}: AppOptions) {
  const app = new Hono();
  const wrongKeys = new WrongKeys(processor, log);
  const requireReadiness = readinessOf(processor, ready);
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
      await requireReadiness();
      return context.json({ status: 'ok' });
    })
    .get('/health/live', (context) => {
      if (!isAlive()) throw new Problem('loop_stuck');
      return context.json({ status: 'ok' });
    })
    .use('/v1/*', identify ?? requireKey(apiKeys, wrongKeys), async (_, next) => {
      await ready();
      await next();
    })
    .route('/', dashboardRoutes({ processor, apiKeys, sessionSecrets, wrongKeys, ready, log }))
    .route('/callbacks', callbackRoutes({ processor, wrongKeys, ready, log }))
    .route('/', serveRoutes(routes, { processor, timeLeft, basePath }, log));
  return app;
}

/** Keeps answers out of caches, where holders of other keys might read them. */
const noStore = createMiddleware(async (context, next) => {
  await next();
  if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store');
});

const nothingHere = new Problem('route_not_found', {
  detail: 'See docs/http-api.md, or GET /v1/openapi.json, for the addresses.',
});

function notAllowed(methods: readonly string[]): Problem {
  const allow = methods.join(', ');
  return new Problem('method_not_allowed', { detail: `Allowed here: ${allow}`, headers: { allow } });
}
