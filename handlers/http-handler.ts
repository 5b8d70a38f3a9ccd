import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import type { Config } from '../src/config.js';
import { validateNow } from '../src/validate.js';
import { isServedBelow, locate, locatedBelow } from './base-path.js';
import { containerOf, type HandlerOptions } from './container.js';
import { refusals } from './http/access-log.js';
import { type AppOptions, createApp } from './http/app.js';
import { answerFailure } from './http/failure.js';
import { Problem } from './http/problem.js';
import { requireSignature } from './http/signed-access.js';
import { bareOf, type HttpEvent, isHttpEvent, isOfLoadBalancer, pathOf, toFetchable } from './http-event.js';
import { invocations } from './invocation.js';
import type { HttpAnswer, LambdaContext, LambdaHandler } from './lambda-context.js';
import { handlerOptionsSchema } from './option-schemas.js';
import { isWarmUp } from './warm-up-event.js';

/**
 * Connections per container. A container serves one request at a time, and there may be a thousand containers, so few
 * are enough.
 */
const CONNECTIONS = 3;

/** Lambda's limit for an answer, in bytes of its JSON. In that JSON, each quote of the body takes two characters. */
const MAX_ANSWER_BYTES = 6_291_556;

/**
 * The largest answer that a load balancer takes, 1 MB. AWS does not document whether a megabyte has 1,000,000 bytes or
 * more, so this is the smaller number.
 */
const MAX_BALANCED_BYTES = 1_000_000;

/** Maximum size of an encoded character of a body. A control character takes six bytes. */
const MAX_BYTES_PER_CHARACTER = 6;

const tooLarge = new Problem('answer_too_large', {
  detail:
    'It has more than the 6,291,556 bytes that Lambda sends, or the 1 MB that a load balancer takes. Ask for fewer at once (limit, brief), or read it from the database: in code (getJob), or by the command line with MONGODB_URI.',
  headers: { 'cache-control': 'no-store' },
});

const unreadable = new Problem('invalid_request', {
  detail:
    'Its address, a header or its body cannot be read. A body that the event says is base64 has to be base64.',
  headers: { 'cache-control': 'no-store' },
});

const atRootAlone = new Problem('dashboard_off', {
  detail:
    'The dashboard works at the root of a host alone, not below the stage of an API, or a path that a domain maps to it. Use the stage $default, or a domain of its own.',
  headers: { 'cache-control': 'no-store' },
});

const keptWarm: HttpAnswer = { statusCode: 204, headers: {}, body: '', isBase64Encoded: false };

/**
 * Returns a handler for an HTTP API of API Gateway, a REST API, a function URL or an application load balancer.
 *
 * Below a stage (`/prod/v1/jobs`) or a path of a custom domain, the handler serves the API without the dashboard.
 *
 * @returns a handler that answers every request, with a problem document if it must. An event that only keeps a
 *   container warm costs nothing
 * @throws ValidationError listing invalid options
 */
export function createHttpHandler(options: HandlerOptions): LambdaHandler<HttpAnswer> {
  validateNow(handlerOptionsSchema, options, 'The call of createHttpHandler');
  const invocation = invocations(options.log);
  let basePath = ''; // Of the current request. A container serves one at a time.
  const useApp = containerOf(
    { ...options, log: invocation.log },
    {
      poolSize: () => CONNECTIONS,
      secrets: ['MONGODB_URI', 'API_KEYS', 'SESSION_SECRETS', 'CALLBACK_SECRETS'],
      keep: ({ config, ...container }) => {
        const { ALLOWED_HOSTS: allowedHosts, CORS_ORIGINS: corsOrigins } = config;
        const { timeLeft } = invocation;
        const served = { allowedHosts, corsOrigins, timeLeft, basePath: () => basePath };
        return createApp({ ...container, ...accessBy(config), ...served });
      },
    },
  );
  let isRead = false; // Whether the app received the current request. hono itself answers unreadable ones, in plain text.
  // Bad settings are found at a request. The log shows all of them, and the sender learns nothing.
  const entry = new Hono().onError(answerFailure(invocation.log)).all('*', ({ req, env }) => {
    isRead = true;
    return useApp(async (app) => app.fetch(req.raw, env));
  });
  const respond = handle(entry);
  return async (event, context) => {
    if (isWarmUp(event)) return keptWarm;
    invocation.begin(context);
    if (!isHttpEvent(event)) {
      throw new Error(
        'Expected an event of an HTTP API, a function URL, a REST API or an application load balancer.',
      );
    }
    const located = locate(event);
    basePath = located.basePath;
    const request = toFetchable(located.event);
    if (basePath !== '' && !isServedBelow(pathOf(request))) return answerWith(atRootAlone, request);
    isRead = false;
    const answer = locatedBelow(basePath, await respond(request));
    if (!isRead) return answerWith(unreadable, bareOf(request));
    if (refusals.has(answer.statusCode)) await countRefusal(options, context);
    const limit = isOfLoadBalancer(event) ? MAX_BALANCED_BYTES : MAX_ANSWER_BYTES;
    return isSendable(answer, limit) ? answer : answerWith(tooLarge, request);
  };
}

function answerWith(problem: Problem, request: HttpEvent): Promise<HttpAnswer> {
  return handle(new Hono().all('*', () => problem.toResponse()))(request);
}

/** Returns whether an answer is small enough to send. Most are so short that their bytes need not be counted. */
function isSendable(answer: HttpAnswer, limit: number): boolean {
  if (answer.body.length * MAX_BYTES_PER_CHARACTER < limit / 2) return true;
  return Buffer.byteLength(JSON.stringify(answer)) <= limit;
}

/** Publishes a metric for the alarm. Loads the metrics on demand, since most containers refuse nobody. */
async function countRefusal({ publishMetrics }: HandlerOptions, context: LambdaContext): Promise<void> {
  const { cloudWatchMetrics, refused } = await import('./metrics.js');
  (publishMetrics ?? cloudWatchMetrics('alarms'))(context, [refused]);
}

/**
 * Returns how callers are identified. If API Gateway identifies them, keys are not accepted, and the dashboard is off.
 */
function accessBy(config: Config): Pick<AppOptions, 'apiKeys' | 'sessionSecrets' | 'identify'> {
  const { HTTP_ACCESS: access, API_KEYS: apiKeys, SESSION_SECRETS: sessionSecrets } = config;
  if (access === 'iam') return { identify: requireSignature, apiKeys: [] };
  return { apiKeys, ...(sessionSecrets && { sessionSecrets }) };
}
