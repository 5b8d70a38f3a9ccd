import { Hono } from 'hono';
import { handle, type LambdaEvent } from 'hono/aws-lambda';
import * as z from 'zod';
import type { Config } from '../src/config.js';
import { type HandlerOptions, openContainer } from './container.js';
import { refusals } from './http/access-log.js';
import { type AppOptions, createApp } from './http/app.js';
import { answerFailure } from './http/failure.js';
import { Problem } from './http/problem.js';
import { requireSignature } from './http/signed-access.js';
import { invocations } from './invocation.js';
import type { HttpAnswer, LambdaContext, LambdaHandler } from './lambda-context.js';
import { once } from './once.js';

/** A container serves one request at a time. There may be a thousand of them. */
const CONNECTIONS = 3;

/** What Lambda sends at most, of the answer as JSON, in which each quote of a body is two characters. */
const MAX_ANSWER_BYTES = 6_291_556;

/** Of one character of a body: a control character is six. */
const MAX_BYTES_PER_CHARACTER = 6;

const tooLarge = new Problem('answer_too_large', {
  detail:
    'It has more than 6,291,556 bytes as Lambda sends it. Ask for fewer at once (limit, brief), or read it from the database: in code (getJob), or by the command line with MONGODB_URI.',
  headers: { 'cache-control': 'no-store' },
});

/**
 * The HTTP API, for an HTTP API of API Gateway, a REST API, a function URL or an application load balancer.
 *
 * @returns a handler that answers every request, with a problem document when it cannot be served
 */
export function createHttpHandler(options: HandlerOptions): LambdaHandler<HttpAnswer> {
  const invocation = invocations(options.log);
  const app = once(() => {
    const { config, ...container } = openContainer({ ...options, log: invocation.log }, () => CONNECTIONS);
    const { ALLOWED_HOSTS: allowedHosts } = config;
    return createApp({ ...container, ...accessBy(config), allowedHosts, timeLeft: invocation.timeLeft });
  });
  // Bad settings come to light at a request: its sender is told nothing of them, the log everything.
  const entry = new Hono()
    .onError(answerFailure(invocation.log))
    .all('*', ({ req, env }) => app().fetch(req.raw, env));
  const respond = handle(entry);
  const refuse = handle(new Hono().all('*', () => tooLarge.toResponse()));
  return async (event, context) => {
    invocation.begin(context);
    if (!isHttpEvent(event)) {
      throw new Error(
        'Expected an event of an HTTP API, a function URL, a REST API or an application load balancer.',
      );
    }
    const answer = await respond(event);
    if (refusals.has(answer.statusCode)) await countRefusal(options, context);
    return isSendable(answer) ? answer : refuse(event);
  };
}

/** Most answers are so short that nobody has to count. */
function isSendable(answer: HttpAnswer): boolean {
  if (answer.body.length * MAX_BYTES_PER_CHARACTER < MAX_ANSWER_BYTES / 2) return true;
  return Buffer.byteLength(JSON.stringify(answer)) <= MAX_ANSWER_BYTES;
}

/** In CloudWatch, where an alarm looks. What it takes is loaded with the first: most containers refuse nobody. */
async function countRefusal({ publishMetrics }: HandlerOptions, context: LambdaContext): Promise<void> {
  const { cloudWatchMetrics, refused } = await import('./metrics.js');
  (publishMetrics ?? cloudWatchMetrics('alarms'))(context, [refused]);
}

/** Where API Gateway lets callers in, keys open nothing, the dashboard included. */
function accessBy(config: Config): Pick<AppOptions, 'apiKeys' | 'sessionSecrets' | 'identify'> {
  const { HTTP_ACCESS: access, API_KEYS: apiKeys, SESSION_SECRETS: sessionSecrets } = config;
  if (access === 'iam') return { identify: requireSignature, apiKeys: [] };
  return { apiKeys, ...(sessionSecrets && { sessionSecrets }) };
}

/** Those that tell where a request comes from, in one of the ways that `clientAddress` knows. */
function isHttpEvent(event: unknown): event is LambdaEvent {
  return eventSchema.safeParse(event).success;
}

const something = z.looseObject({});
const eventSchema = z.union([
  z.object({ rawPath: z.string(), requestContext: z.object({ http: something }) }),
  z.object({ path: z.string(), httpMethod: z.string(), requestContext: z.object({ elb: something }) }),
  z.object({ path: z.string(), httpMethod: z.string(), requestContext: z.object({ identity: something }) }),
]);
