import { Hono } from 'hono';
import { type APIGatewayProxyResult, handle, type LambdaEvent } from 'hono/aws-lambda';
import type { Config } from '../src/config.js';
import { type HandlerOptions, openContainer } from './container.js';
import { type AppOptions, createApp } from './http/app.js';
import { answerFailure } from './http/failure.js';
import { requireSignature } from './http/signed-access.js';
import { invocations } from './invocation.js';
import type { LambdaHandler } from './lambda-context.js';
import { once } from './once.js';

/**
 * The HTTP API, for an API Gateway HTTP API (payload 2.0), a function URL or a load balancer.
 *
 * @returns a handler that answers every request, with a problem document when it cannot be served
 */
export function createHttpHandler(options: HandlerOptions): LambdaHandler<APIGatewayProxyResult> {
  const invocation = invocations(options.log);
  const app = once(() => {
    const { config, ...container } = openContainer({ ...options, log: invocation.log });
    const { ALLOWED_HOSTS: allowedHosts } = config;
    return createApp({ ...container, ...accessBy(config), allowedHosts, timeLeft: invocation.timeLeft });
  });
  // Bad settings come to light at a request: its sender is told nothing of them, the log everything.
  const entry = new Hono()
    .onError(answerFailure(invocation.log))
    .all('*', ({ req, env }) => app().fetch(req.raw, env));
  const respond = handle(entry);
  return async (event, context) => {
    invocation.begin(context);
    if (!isHttpEvent(event)) throw new Error('Expected an event of an HTTP API, with a requestContext.');
    return respond(event);
  };
}

/** Where API Gateway lets callers in, keys open nothing, the dashboard included. */
function accessBy(config: Config): Pick<AppOptions, 'apiKeys' | 'sessionSecrets' | 'identify'> {
  const { HTTP_ACCESS: access, API_KEYS: apiKeys, SESSION_SECRETS: sessionSecrets } = config;
  if (access === 'iam') return { identify: requireSignature, apiKeys: [] };
  return { apiKeys, ...(sessionSecrets && { sessionSecrets }) };
}

function isHttpEvent(event: unknown): event is LambdaEvent {
  return typeof event === 'object' && event !== null && 'requestContext' in event;
}
