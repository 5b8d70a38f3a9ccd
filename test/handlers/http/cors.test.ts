import { describe, expect, test } from 'vitest';
import { rawRequest } from '../../raw-request.js';
import { expectProblem, useApi } from './api.js';

const origin = 'https://app.example.com';
const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

/** The answer to what a browser asks before a page's request. */
function preflight(url: string, path: string, from: string): Promise<Response> {
  return fetch(`${url}${path}`, { method: 'OPTIONS', headers: { origin: from, ...asks } });
}

function corsHeaders({ headers }: Response): string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control-allow-'));
}

describe('with an origin', () => {
  const api = useApi({
    corsOrigins: [origin],
    allowedHosts: ['jobs.example'],
    sessionSecrets: ['s'.repeat(32)],
  });

  test('a page of it may call the API, and read what the answer says', async () => {
    const asked = await preflight(api.url, '/v1/jobs', origin);
    const added = await api.call('/v1/jobs', { body: { name: 'echo', input: {} }, headers: { origin } });

    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET,HEAD,POST,PATCH,DELETE',
      'access-control-allow-headers':
        'Authorization,Content-Type,Idempotency-Key,X-Amz-Date,X-Amz-Security-Token,X-Amz-Content-Sha256',
      'access-control-max-age': '7200',
      vary: expect.stringContaining('Origin'),
    });
    expect(added.status).toBe(202);
    expect(added.headers.get('access-control-allow-origin')).toBe(origin);
    expect(added.headers.get('access-control-expose-headers')).toContain('Location');
    expect(added.headers.get('vary')).toContain('Origin');
  });

  test('it may read why it was refused', async () => {
    for (const [response, status, code] of [
      [await api.call('/v1/jobs', { key: null, headers: { origin } }), 401, 'unauthorized'],
      [await api.call('/v1/jobs', { key: 'key-of-read', body: {}, headers: { origin } }), 403, 'forbidden'],
      [await api.call('/v1/nothing', { headers: { origin } }), 404, 'route_not_found'],
      [await api.call('/v1/jobs', { method: 'PUT', headers: { origin } }), 405, 'method_not_allowed'],
      [await api.call('/v1/jobs', { body: {}, headers: { origin } }), 422, 'validation_failed'],
    ] as const) {
      await expectProblem(response, status, code);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    }
  });

  test.each(['https://evil.example', 'http://app.example.com', `${origin}.evil.example`, 'null'])(
    'a page of %s may not',
    async (other) => {
      await expectProblem(await preflight(api.url, '/v1/jobs', other), 403, 'sent_from_elsewhere');
      const response = await api.call('/v1/jobs', { headers: { origin: other } });
      await expectProblem(response, 403, 'sent_from_elsewhere');
      expect(corsHeaders(response)).toEqual([]);
    },
  );

  test.each(['/', '/session', '/jobs', '/health', '/v1'])(
    'nothing but the API is open to it: %s',
    async (path) => {
      await expectProblem(await preflight(api.url, path, origin), 403, 'sent_from_elsewhere');
      const answer = await fetch(`${api.url}${path}`, { headers: { origin }, redirect: 'manual' });
      await expectProblem(answer, 403, 'sent_from_elsewhere');
      expect(corsHeaders(answer)).toEqual([]);
    },
  );

  test('the name that the server is called by is checked all the same', async () => {
    const lines = ['GET /v1/jobs HTTP/1.1', 'Host: evil.example', `Origin: ${origin}`];
    const { status, body } = await rawRequest(api.url, lines);

    expect([status, JSON.parse(body).code]).toEqual([403, 'unknown_host']);
  });
});

test.each(['/v1/jobs', '/v1/jobs/x'])('credentials, such as cookies, are never allowed: %s', async (path) => {
  const response = await preflight(any.url, path, origin);

  expect(corsHeaders(response)).not.toContain('access-control-allow-credentials');
});

const any = useApi({ corsOrigins: ['*'] });

test('with * pages of any site may call the API, and nothing else', async () => {
  const response = await any.call('/v1/jobs', { headers: { origin } });

  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(corsHeaders(await any.call('/health', { headers: { origin } }))).toEqual([]);
});

const none = useApi();

test('without a setting no page of another site may', async () => {
  await expectProblem(await preflight(none.url, '/v1/jobs', origin), 401, 'unauthorized');
  expect(corsHeaders(await none.call('/v1/jobs', { headers: { origin } }))).toEqual([]);
});
