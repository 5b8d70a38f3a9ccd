import { describe, expect, test } from 'vitest';
import { createHttpHandler } from '../../handlers/lambda.js';
import { Callbacks } from '../../src/step/callbacks.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { rawRequest } from '../raw-request.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { classicEvent, contextOf, httpEvent } from './events.js';
import { useApi } from './http/api.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
const api = useApi();
closeConnectionsAfterwards();

const key = { authorization: 'Bearer the-key' };
const platforms = {
  'an HTTP API': httpEvent,
  'a REST API': classicEvent('rest'),
  'a load balancer': classicEvent('balancer'),
  'a load balancer with lists of headers': classicEvent('balancer', true),
};

function handler(env = {}) {
  const handle = createHttpHandler(deploymentOf(database, lambda(), [echo], env));
  return (event: unknown) => handle(event, contextOf(29_000));
}

const odd = [
  ['GET', '/v1/jobs', '{"limit":1}', 400, 'needless_body'],
  ['GET', '/health', '{}', 400, 'needless_body'],
  ['TRACE', '/v1/jobs', undefined, 405, 'method_not_allowed'],
  ['TRACE', '/nothing', undefined, 404, 'route_not_found'],
  ['OPTIONS', '/v1/jobs', undefined, 405, 'method_not_allowed'],
  ['CONNECT', '/v1/jobs', undefined, 405, 'method_not_allowed'],
  ['PROPFIND', '/v1/jobs', undefined, 405, 'method_not_allowed'],
  ['PUT', '/v1/jobs', '{}', 405, 'method_not_allowed'],
] as const;

describe.each(Object.entries(platforms))('behind %s', (_, eventOf) => {
  test.each(odd)('%s %s %s is answered by a problem document', async (method, path, body, status, code) => {
    const answer = await handler()(eventOf(method, path, { headers: key, ...(body && { body }) }));

    expect([answer.statusCode, JSON.parse(answer.body).code]).toEqual([status, code]);
    const headers = answer.headers ?? answer.multiValueHeaders;
    expect(String(headers?.['content-type'])).toBe('application/problem+json');
    if (status === 405) expect(String(headers?.allow)).toContain('POST');
  });

  test.each([
    ['a body that is no base64', { body: '%%%', isBase64Encoded: true }],
    ['a header that none can be', { body: '{}', headers: { ...key, 'x-odd': 'a\nb' } }],
  ])('%s is answered by a problem document', async (_, request) => {
    const answer = await handler()(eventOf('POST', '/v1/jobs', { headers: key, ...request }));

    const headers = answer.headers ?? answer.multiValueHeaders;
    expect(String(headers?.['content-type'])).toBe('application/problem+json');
    expect([answer.statusCode, JSON.parse(answer.body).code]).toEqual([400, 'invalid_request']);
  });

  test('a HEAD with a body has no other answer, though nobody sees it', async () => {
    const answer = await handler()(eventOf('HEAD', '/v1/jobs', { headers: key, body: '{}' }));

    expect(answer).toMatchObject({ statusCode: 400, body: '' });
  });

  test('a job is added, and read with its query', async () => {
    const handle = handler();
    const body = JSON.stringify({ name: 'echo', input: { text: 'ä🙂' }, options: { queue: 'a b' } });
    const json = { ...key, 'content-type': 'application/json' };

    const added = await handle(eventOf('POST', '/v1/jobs', { headers: json, body }));
    const list = await handle(eventOf('GET', '/v1/jobs', { headers: key, query: 'queue=a%20b&limit=1' }));

    const headers = added.headers ?? added.multiValueHeaders;
    expect(String(headers?.location)).toBe(`/v1/jobs/${JSON.parse(added.body).id}`);
    expect(JSON.parse(list.body).jobs).toMatchObject([{ input: { text: 'ä🙂' } }]);
  });

  test('a page of an origin that is allowed may call it', async () => {
    const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'GET' };
    const handle = handler({ CORS_ORIGINS: 'https://app.example.com' });

    const answer = await handle(eventOf('OPTIONS', '/v1/jobs', { headers }));

    expect(answer.statusCode).toBe(204);
    const told = answer.headers ?? answer.multiValueHeaders;
    expect(String(told?.['access-control-allow-origin'])).toBe('https://app.example.com');
  });
});

test.each(odd)('locally %s %s %s is answered alike', async (method, path, body, status, code) => {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Authorization: Bearer key-of-write'];
  const framing = body === undefined ? [] : [`Content-Length: ${body.length}`];
  const answer = await rawRequest(api.url, [...head, ...framing], body);

  expect([answer.status, JSON.parse(answer.body).code]).toEqual([status, code]);
  expect(answer.head.toLowerCase()).toContain('content-type: application/problem+json');
});

test.each([
  ['an unknown method', ['FOO / HTTP/1.1', 'Host: localhost'], 400, 'invalid_request'],
  ['no HTTP', ['hello'], 400, 'invalid_request'],
  [
    'large headers',
    ['GET / HTTP/1.1', 'Host: localhost', `X: ${'x'.repeat(20_000)}`],
    431,
    'headers_too_large',
  ],
])('locally %s is answered by a problem document', async (_, lines, status, code) => {
  const answer = await rawRequest(api.url, lines);

  expect([answer.status, JSON.parse(answer.body).code]).toEqual([status, code]);
  expect(answer.head).toContain('content-type: application/problem+json');
});

describe('below the stage of an API', () => {
  const restEvent = classicEvent('rest');
  const below = [
    [
      'an HTTP API',
      (method: string, path: string, more: Parameters<typeof httpEvent>[2]) => {
        const event = httpEvent(method, `/prod${path}`, more);
        return { ...event, requestContext: { ...event.requestContext, stage: 'prod' } };
      },
    ],
    [
      'a REST API',
      (method: string, path: string, more: Parameters<typeof httpEvent>[2]) => {
        const event = restEvent(method, path, more);
        return { ...event, requestContext: { ...event.requestContext, stage: 'prod', path: `/prod${path}` } };
      },
    ],
  ] as const;

  test.each(below)('the API of %s is served, and tells addresses that lead there', async (_, eventOf) => {
    const handle = handler();
    const headers = { ...key, 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'echo', input: {} });

    const added = await handle(eventOf('POST', '/v1/jobs', { headers, body }));

    const { id } = JSON.parse(added.body);
    const told = added.headers ?? added.multiValueHeaders;
    expect(String(told?.location)).toBe(`/prod/v1/jobs/${id}`);
    expect(await handle(eventOf('GET', `/v1/jobs/${id}`, { headers: key }))).toMatchObject({
      statusCode: 200,
    });
    expect(await handle(eventOf('GET', '/health', {}))).toMatchObject({ statusCode: 200 });
  });

  test.each(below)('the dashboard of %s says that it is not', async (_, eventOf) => {
    const handle = handler({ SESSION_SECRETS: 'one-secret-of-some-length-and-letters' });

    for (const path of ['/', '/jobs', '/v1jobs', '']) {
      const answer = await handle(eventOf('GET', path, {}));
      expect([answer.statusCode, JSON.parse(answer.body).code]).toEqual([404, 'dashboard_off']);
      expect(JSON.parse(answer.body).detail).toContain('stage $default');
    }
  });

  test('a path that only begins alike is none of the stage', async () => {
    const event = httpEvent('GET', '/production/v1/jobs', { headers: key });
    const answer = await handler()({ ...event, requestContext: { ...event.requestContext, stage: 'prod' } });

    expect(answer.statusCode).toBe(404);
  });
});

describe('below a path that a domain maps to an API', () => {
  /** API Gateway leaves what is mapped in the path, and tells what its route met. */
  const mapped = [
    ['an HTTP API', httpEvent],
    ['a REST API', classicEvent('rest')],
  ] as const;

  const at =
    (eventOf: (typeof mapped)[number][1]) =>
    (method: string, path: string, more: Parameters<typeof httpEvent>[2] = {}) => ({
      ...eventOf(method, `/our/jobs${path}`, more),
      ...(path === '/health'
        ? { routeKey: 'GET /health', resource: '/health' }
        : { pathParameters: { proxy: decodeURIComponent(path.slice(1)) } }),
    });

  test.each(mapped)('the API of %s is served, and tells addresses that lead there', async (_, eventOf) => {
    const handle = handler();
    const send = at(eventOf);
    const headers = { ...key, 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'echo', input: {}, options: { id: 'a/b c' } });

    const added = await handle(send('POST', '/v1/jobs', { headers, body }));

    const location = String((added.headers ?? added.multiValueHeaders)?.location);
    expect(location).toBe('/our/jobs/v1/jobs/a%2Fb%20c');
    const shown = await handle(send('GET', location.replace('/our/jobs', ''), { headers: key }));
    expect([shown.statusCode, JSON.parse(shown.body).id]).toEqual([200, 'a/b c']);
    expect(await handle(send('GET', '/health'))).toMatchObject({ statusCode: 200 });
    const described = await handle(send('GET', '/v1/openapi.json', { headers: key }));
    expect(JSON.parse(described.body).servers).toEqual([{ url: '/our/jobs' }]);
  });

  test.each(mapped)('links of callbacks of %s are answered, and need no key', async (_, eventOf) => {
    const callbacks = {
      url: 'https://jobs.example.com/our/jobs',
      secrets: ['a-secret-of-callbacks-with-letters-1'],
    };
    const { pathname } = new URL(new Callbacks(callbacks).urlOf({ jobId: 'gone', run: 1, step: 'approval' }));
    const handle = handler({
      HTTP_ACCESS: 'iam',
      CALLBACK_URL: callbacks.url,
      CALLBACK_SECRETS: callbacks.secrets.join(),
    });
    const route = { routeKey: 'GET /callbacks/{token}', resource: '/callbacks/{token}' };
    const pathParameters = { token: pathname.replace(/.*\//, '') };
    const answer = await handle({ ...eventOf('GET', pathname), ...route, pathParameters });
    expect([answer.statusCode, JSON.parse(answer.body).code]).toEqual([410, 'callback_over']);
  });

  test.each(mapped)('the dashboard of %s says that it is not', async (_, eventOf) => {
    const handle = handler({ SESSION_SECRETS: 'one-secret-of-some-length-and-letters' });
    const answer = await handle(at(eventOf)('GET', '/dashboard/jobs'));
    expect([answer.statusCode, JSON.parse(answer.body).code]).toEqual([404, 'dashboard_off']);
  });

  test.each(mapped)('what the route of %s has not met is not served', async (_, eventOf) => {
    const event = eventOf('GET', '/our/v1/jobs', { headers: key });
    const answer = await handler()({ ...event, pathParameters: { proxy: 'our/v1/jobs' } });
    expect(answer.statusCode).toBe(404);
  });

  test("a route of one's own, such as /v1/{proxy+}, is no mapping", async () => {
    const event = httpEvent('GET', '/v1/jobs', { headers: key });
    const answer = await handler()({ ...event, pathParameters: { proxy: 'jobs' } });
    expect(answer.statusCode).toBe(200);
  });
});
