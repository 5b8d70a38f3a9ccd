import type { LambdaEvent } from 'hono/aws-lambda';
import * as z from 'zod';

/** An event of an HTTP API or a function URL. */
type EventV2 = Extract<LambdaEvent, { rawPath: string }>;
/** An event of a REST API or a load balancer. */
type ClassicEvent = Extract<LambdaEvent, { httpMethod: string }>;

/** A request as API Gateway, a function URL or a load balancer sends it. */
export type HttpEvent = EventV2 | ClassicEvent;

const something = z.looseObject({});
const eventSchema = z.union([
  z.object({ rawPath: z.string(), requestContext: z.object({ http: something }) }),
  z.object({ path: z.string(), httpMethod: z.string(), requestContext: z.object({ elb: something }) }),
  z.object({ path: z.string(), httpMethod: z.string(), requestContext: z.object({ identity: something }) }),
]);

/** Returns whether an event is an HTTP request. `clientAddress` can find the sender's address of such an event. */
export function isHttpEvent(event: unknown): event is HttpEvent {
  return eventSchema.safeParse(event).success;
}

/** Returns the path exactly as it was sent. */
export function pathOf(event: HttpEvent): string {
  return 'rawPath' in event ? event.rawPath : event.path;
}

export function withPath(event: HttpEvent, path: string): HttpEvent {
  return 'rawPath' in event ? { ...event, rawPath: path } : { ...event, path };
}

/** Returns whether a load balancer sent the event. A load balancer accepts only smaller answers than Lambda does. */
export function isOfLoadBalancer({ requestContext }: HttpEvent): boolean {
  return 'elb' in requestContext;
}

/** Replaces methods that a `Request` cannot have. No route has this method. */
const NO_METHOD = 'UNSUPPORTED';

/**
 * Returns the event in a form that a `Request` can have, so that the app can answer it. A GET or HEAD keeps only the
 * length of its body. TRACE, CONNECT and invalid methods become a method that no route has.
 */
export function toFetchable(event: HttpEvent): HttpEvent {
  const method = methodOf(event);
  if (!isFetchable(method)) return withMethod(event, NO_METHOD);
  return event.body && /^(get|head)$/i.test(method) ? withoutBody(event, event.body.length) : event;
}

/** Returns the event without anything that its sender chose, except the method. So it can always be read. */
export function bareOf(event: HttpEvent): HttpEvent {
  const host = 'localhost';
  if ('rawPath' in event) {
    const requestContext = { ...event.requestContext, domainName: host };
    return {
      ...event,
      rawPath: '/',
      rawQueryString: '',
      cookies: [],
      headers: {},
      body: null,
      requestContext,
    };
  }
  const lists = event.multiValueHeaders && { multiValueHeaders: { host: [host] } };
  return {
    ...event,
    ...{ path: '/', body: null, headers: { host }, ...lists },
    queryStringParameters: {},
    multiValueQueryStringParameters: {},
  };
}

function methodOf(event: HttpEvent): string {
  return 'rawPath' in event ? event.requestContext.http.method : event.httpMethod;
}

function isFetchable(method: string): boolean {
  try {
    return new Request('http://localhost', { method }).method !== '';
  } catch {
    return false;
  }
}

function withMethod(event: HttpEvent, method: string): HttpEvent {
  if (!('rawPath' in event)) return { ...event, httpMethod: method };
  const { requestContext } = event;
  return { ...event, requestContext: { ...requestContext, http: { ...requestContext.http, method } } };
}

function withoutBody(event: HttpEvent, length: number): HttpEvent {
  const told = { 'content-length': String(length) };
  const headers = { ...event.headers, ...told };
  if (!event.multiValueHeaders) return { ...event, body: null, headers };
  const multiValueHeaders = { ...event.multiValueHeaders, 'content-length': [told['content-length']] };
  return { ...event, body: null, headers, multiValueHeaders };
}
