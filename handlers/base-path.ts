import * as z from 'zod';
import { type HttpEvent, pathOf, withPath } from './http-event.js';
import type { HttpAnswer } from './lambda-context.js';

/** A request, and the base path that precedes the app's path. */
export interface Located {
  readonly basePath: string;
  /** The event with its path changed to the one that the app knows. */
  readonly event: HttpEvent;
}

/**
 * Removes the base path that API Gateway put before the app's path. The base path is the stage, such as `/prod`, or the
 * path under which a custom domain serves the API. It is empty for `$default`. The app's path is derived from the
 * matched route. So a request is never served under another path than the admitted one.
 */
export function locate(event: HttpEvent): Located {
  const path = pathOf(event);
  const stage = stageOf(event);
  // The path of a REST API's event does not include the stage.
  if (stage !== '')
    return {
      basePath: stage,
      event: isBelow(path, stage) && 'rawPath' in event ? without(stage, event) : event,
    };
  const mapped = isKnown(path) ? '' : beforeRoute(event, path);
  return { basePath: mapped, event: without(mapped, event) };
}

function stageOf(event: HttpEvent): string {
  const { requestContext } = event;
  if (!('stage' in requestContext)) return '';
  const stage = `/${requestContext.stage}`;
  if ('rawPath' in event) return isBelow(event.rawPath, stage) ? stage : '';
  return 'path' in requestContext && requestContext.path === `${stage}${event.path}` ? stage : '';
}

function without(basePath: string, event: HttpEvent): HttpEvent {
  return basePath === '' ? event : withPath(event, pathOf(event).slice(basePath.length) || '/');
}

/**
 * Schema of the path that a route of API Gateway matched. For `/{proxy+}`, that is the rest of the path, possibly
 * decoded. For another route, such as `/callbacks/{token}`, it is the route's path with its parameters.
 */
const routedSchema = z
  .object({
    pathParameters: z.record(z.string(), z.string()).nullish(),
    routeKey: z.string().optional(),
    resource: z.string().optional(),
  })
  .transform(({ pathParameters, routeKey, resource }) => {
    const { proxy } = pathParameters ?? {};
    if (proxy !== undefined) return `/${proxy}`;
    const route = routeKey?.replace(/^\w+ /, '') ?? resource;
    return route?.replaceAll(/\{(\w+)\+?\}/g, (braces, name: string) => pathParameters?.[name] ?? braces);
  });

/** Maximum number of path segments to which a domain maps an API. */
const MAX_MAPPED = 10;

function beforeRoute(event: HttpEvent, path: string): string {
  const met = routedSchema.safeParse(event).data;
  if (met === undefined || met === '/') return '';
  const segments = path.split('/').slice(1);
  for (let count = 1; count <= Math.min(MAX_MAPPED, segments.length - 1); count += 1) {
    const rest = `/${segments.slice(count).join('/')}`;
    if (rest === met || decoded(rest) === met) return `/${segments.slice(0, count).join('/')}`;
  }
  return '';
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Returns the answer with its `Location` prefixed by the base path. */
export function locatedBelow(basePath: string, answer: HttpAnswer): HttpAnswer {
  if (basePath === '') return answer;
  const { headers, multiValueHeaders } = answer;
  const location = headers?.location;
  const [first] = multiValueHeaders?.location ?? [];
  if (typeof location === 'string')
    return { ...answer, headers: { ...headers, location: `${basePath}${location}` } };
  if (first === undefined) return answer;
  return { ...answer, multiValueHeaders: { ...multiValueHeaders, location: [`${basePath}${first}`] } };
}

/**
 * Returns whether a path may be served below a base path. Paths of the dashboard may not, since its links, forms and
 * cookies expect a host of their own.
 */
export function isServedBelow(path: string): boolean {
  return path === '/health' || path === '/health/live' || path === '/v1' || /^\/(v1|callbacks)\//.test(path);
}

function isKnown(path: string): boolean {
  return isServedBelow(path) || /^\/(dashboard(\/.*)?|sign-in|sign-out)?$/.test(path);
}

function isBelow(path: string, stage: string): boolean {
  return path === stage || path.startsWith(`${stage}/`);
}
