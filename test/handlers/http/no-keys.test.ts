import { expect, test } from 'vitest';
import { expectProblem, useApi } from './api.js';

const api = useApi({ apiKeys: [] });

test.each([null, '', 'key-of-admin', 'undefined'])(
  'while no key is configured the key %j is refused, and told how to configure one',
  async (key) => {
    const response = await api.call('/v1/jobs', { key, body: { name: 'echo', input: {} } });

    const problem = await expectProblem(response, 401, 'no_api_keys');
    expect(problem.detail).toContain('API_KEYS');
    expect(await api.storedJobs()).toBe(0);
  },
);

test('health needs no key', async () => {
  const response = await api.call('/health', { key: null });

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: 'ok' });
});
