import { expect, test } from 'vitest';
import { findKey } from '../../../handlers/http/access.js';
import { expectProblem, jobOf, useApi } from './api.js';
import { keyOf } from './browser.js';

const api = useApi();
const body = { name: 'echo', input: {} };

const badKeys: [name: string, authorization: string | undefined][] = [
  ['no header', undefined],
  ['an empty header', ''],
  ['an unknown key', 'Bearer nobody'],
  ['no key', 'Bearer'],
  ['another scheme', 'Basic key-of-write'],
  ['the key alone', 'key-of-write'],
  ['the digest for the key', `Bearer ${'0'.repeat(64)}`],
  ['the key and more', 'Bearer key-of-write x'],
  ['two keys', 'Bearer key-of-write, Bearer key-of-read'],
  ['a prefix of the key', 'Bearer key-of-writ'],
  ['the id of the key', 'Bearer the-write'],
];

test.each(badKeys)('with %s nothing can be read or added', async (_, authorization) => {
  const headers = authorization === undefined ? {} : { authorization };
  for (const call of [{ body }, {}, { method: 'HEAD' }]) {
    const response = await api.call(call.body ? '/v1/jobs' : '/v1/jobs/x', { ...call, key: null, headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="remote-processor"');
    if (!call.method) await expectProblem(response, 401, 'unauthorized');
  }
  expect(await api.storedJobs()).toBe(0);
});

test('nobody has the empty text for a key, not even where its digest is configured', () => {
  const keys = [keyOf('everybody', 'admin', ''), keyOf('somebody', 'read', 'a-key')];

  expect(findKey(keys, '')).toBeUndefined();
  expect(findKey(keys, 'a-key')?.id).toBe('somebody');
});

test('without a key an unknown address answers as a known one does', async () => {
  const unknown = await api.call('/v1/nothing', { key: null });
  const known = await api.call('/v1/jobs/x', { key: null });

  expect(await unknown.text()).toBe(await known.text());
  expect(unknown.status).toBe(401);
});

test('the scheme may be written in any case', async () => {
  const response = await api.call('/v1/jobs', {
    body,
    key: null,
    headers: { authorization: 'bearer key-of-write' },
  });

  expect(response.status).toBe(202);
});

test('a reader reads, and can neither add nor cancel', async () => {
  const id = await api.processor.addJob('echo', {});
  const key = 'key-of-read';

  expect((await api.call(`/v1/jobs/${id}`, { key })).status).toBe(200);
  await expectProblem(await api.call('/v1/jobs', { key, body }), 403, 'forbidden');
  await expectProblem(await api.call(`/v1/jobs/${id}/cancel`, { key, method: 'POST' }), 403, 'forbidden');
  expect(await api.storedJobs()).toBe(1);
  expect(await api.processor.getJobStatus(id)).toBe('queued');
});

test.each(['key-of-write', 'key-of-admin'])('%s reads, adds and cancels', async (key) => {
  const { id } = await jobOf(await api.call('/v1/jobs', { key, body }));

  expect((await api.call(`/v1/jobs/${id}`, { key })).status).toBe(200);
  expect((await api.call(`/v1/jobs/${id}/cancel`, { key, method: 'POST' })).status).toBe(200);
});

test('a body that nobody may send is not read', async () => {
  await expectProblem(await api.call('/v1/jobs', { key: 'key-of-read', body: '{' }), 403, 'forbidden');
});

test('every answer has the security headers, and none allows other origins', async () => {
  for (const response of [
    await api.call('/health', { key: null }),
    await api.call('/v1/jobs', { key: null, headers: { origin: 'https://elsewhere.example' } }),
    await api.call('/v1/jobs', { body }),
    await api.call('/nothing'),
  ]) {
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  }
});

test('the log tells who did what, and no secret', async () => {
  await api.call('/v1/jobs', { body: { name: 'echo', input: { secret: 'in-the-body' } } });
  await api.call('/v1/jobs?token=in-the-query');

  expect(api.logged).toContain('"method":"POST","path":"/v1/jobs","status":202');
  expect(api.logged).toContain('"key":"the-write"');
  expect(api.logged).not.toMatch(/key-of-write|in-the-query|in-the-body/);
});
