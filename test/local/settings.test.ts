import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { readLocalSettings } from '../../local/settings.js';

const key = 'a-key-that-was-given';
const digest = createHash('sha256').update(key).digest('hex');

test.each([
  [{}, 'http://127.0.0.1:3000'],
  [{ HOST: '0.0.0.0', PORT: '8080' }, 'http://localhost:8080'],
  [{ HOST: '::1' }, 'http://[::1]:3000'],
  [{ CALLBACK_URL: 'https://jobs.example.com' }, 'https://jobs.example.com'],
])('with %j, links of callbacks lead to %s, and are signed', (env, url) => {
  const [secret = ''] = readLocalSettings(env).callbacks.secrets;
  expect(readLocalSettings(env).callbacks.url).toBe(url);
  expect(secret.length).toBeGreaterThan(32);
});

test('a key that was given is not there to be shown, one that was made is', () => {
  const given = readLocalSettings({ API_KEY: key });
  const made = readLocalSettings({});

  expect(given.madeKey).toBeUndefined();
  expect(given.apiKeys).toEqual([{ id: 'local', role: 'admin', digest: Buffer.from(digest, 'hex') }]);
  expect(made.madeKey).toMatch(/^[\w-]{43}$/);
});

test.each([
  [{}, ['127.0.0.1']],
  [{ HOST: '0.0.0.0', ALLOWED_HOSTS: 'jobs.example, [fd00::5]' }, ['0.0.0.0', 'jobs.example', '[fd00::5]']],
  [{ HOST: '::1' }, ['[::1]']],
])('with %o it may be called by %o', (env, hosts) => {
  expect(readLocalSettings(env).allowedHosts).toEqual(hosts);
});

test.each<[Record<string, string>, string]>([
  [{ API_KEY: 'a'.repeat(40) }, 'API_KEY: expected at least 16 visible ASCII characters'],
  [{ API_KEY: 'with a space in the middle' }, 'API_KEY: expected at least 16 visible ASCII characters'],
  [{ API_KEY: 'schlüssel-für-niemanden' }, 'API_KEY: expected at least 16 visible ASCII characters'],
  [{ API_KEY: key, API_KEYS: `one:read:${digest}` }, 'API_KEY: expected another key than those in API_KEYS'],
  [{ API_KEYS: `local:read:${digest}` }, "API_KEYS: expected other ids than 'local'"],
])('%o is refused, and no key shown', (env, expected) => {
  expect(() => readLocalSettings(env)).toThrow(expected);
  expect(() => readLocalSettings(env)).not.toThrow(new RegExp(env.API_KEY ?? digest));
});
