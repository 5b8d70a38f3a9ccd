import type { HttpEvent } from './http-event.js';
import type { HttpAnswer } from './lambda-context.js';

/**
 * What stands before the path of a request to API Gateway: its stage, such as `/prod`, unless that is `$default` or has a
 * domain of its own. An HTTP API leaves it in the path that it tells, a REST API takes it out.
 */
export function basePathOf(event: HttpEvent): string {
  const { requestContext } = event;
  if (!('stage' in requestContext)) return '';
  const stage = `/${requestContext.stage}`;
  if ('rawPath' in event) return isBelow(event.rawPath, stage) ? stage : '';
  return 'path' in requestContext && requestContext.path === `${stage}${event.path}` ? stage : '';
}

/** The event with the path that the app knows. */
export function withoutBasePath(event: HttpEvent, basePath: string): HttpEvent {
  if (!('rawPath' in event)) return event;
  return { ...event, rawPath: event.rawPath.slice(basePath.length) || '/' };
}

/** The answer with a `Location` that leads there. */
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

/** The dashboard's links, forms and cookies are those of a host of its own: below a stage none leads anywhere. */
export function isServedBelow(path: string): boolean {
  return path === '/health' || path === '/v1' || path.startsWith('/v1/');
}

function isBelow(path: string, stage: string): boolean {
  return path === stage || path.startsWith(`${stage}/`);
}
