import { Hono } from 'hono';
import { type APIGatewayProxyResult, handle, type LambdaEvent } from 'hono/aws-lambda';
import { jsonLogger } from '../src/index.js';
import { type HandlerOptions, openContainer } from './container.js';
import { createApp } from './http/app.js';
import { answerFailure } from './http/failure.js';
import type { LambdaHandler } from './lambda-context.js';
import { once } from './once.js';

/**
 * The HTTP API, for an API Gateway HTTP API (payload 2.0), a function URL or a load balancer.
 *
 * @returns a handler that answers every request, with a problem document when it cannot be served
 */
export function createHttpHandler(options: HandlerOptions): LambdaHandler<APIGatewayProxyResult> {
  const app = once(() => {
    const { config, ...container } = openContainer(options);
    return createApp({ ...container, apiKeys: config.API_KEYS });
  });
  // Bad settings come to light at a request: its sender is told nothing of them, the log everything.
  const entry = new Hono()
    .onError(answerFailure(options.log ?? jsonLogger))
    .all('*', ({ req, env }) => app().fetch(req.raw, env));
  const respond = handle(entry);
  return async (event, context) => {
    context.callbackWaitsForEmptyEventLoop = false;
    if (!isHttpEvent(event)) throw new Error('Expected an event of an HTTP API, with a requestContext.');
    return respond(event);
  };
}

function isHttpEvent(event: unknown): event is LambdaEvent {
  return typeof event === 'object' && event !== null && 'requestContext' in event;
}
