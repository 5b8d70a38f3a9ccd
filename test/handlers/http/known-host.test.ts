import { describe, expect, test } from 'vitest';
import { rawRequest } from '../../raw-request.js';
import { useApi } from './api.js';

const api = useApi({ allowedHosts: ['Jobs.example', '192.168.1.5', '[fd00::5]'] });
const port = () => new URL(api.url).port;

/** `PORT` stands for that of the server. */
async function get(headers: Readonly<Record<string, string>>) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value.replace('PORT', port())}`);
  const { status, body } = await rawRequest(api.url, ['GET /health HTTP/1.1', ...lines]);
  return { status, code: JSON.parse(body).code };
}

describe('a server on a machine', () => {
  test.each([
    'localhost',
    'localhost:PORT',
    'LOCALHOST',
    'app.localhost',
    '127.0.0.1:PORT',
    '127.9.9.9',
    '[::1]:PORT',
    'jobs.example',
    'JOBS.EXAMPLE:443',
    '192.168.1.5:PORT',
    '[fd00::5]',
  ])('answers by the name %s', async (host) => {
    expect(await get({ Host: host })).toEqual({ status: 200 });
  });

  test.each([
    'evil.example',
    'evil.example:PORT',
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    'evil.example/localhost',
    'jobs.example.evil.example',
    'xjobs.example',
    '192.168.1.6',
    '0.0.0.0:PORT',
    '127.0.0.256',
    '[fd00::6]',
    'user@localhost',
    'localhost:x',
    '2130706433',
  ])('does not answer by the name %s, which somebody may have pointed here', async (host) => {
    const { status, code } = await get({ Host: host });

    expect([
      [403, 'unknown_host'],
      [400, 'invalid_address'],
    ]).toContainEqual([status, code]);
  });

  test.each([
    [{ Origin: 'http://127.0.0.1:PORT' }],
    [{ Origin: 'https://127.0.0.1:PORT' }], // Something in front of it ends TLS.
    [{ Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }],
    [{ 'Sec-Fetch-Site': 'none' }],
  ])('answers its own pages: %o', async (headers) => {
    expect(await get({ Host: '127.0.0.1:PORT', ...headers })).toEqual({ status: 200 });
  });

  test.each([
    [{ Origin: 'https://evil.example' }],
    [{ Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }],
    [{ Origin: 'http://localhost:PORT' }], // Another name is another site.
    [{ Origin: 'http://127.0.0.1:1' }],
    [{ Origin: 'http://127.0.0.1' }],
    [{ Origin: 'null' }],
    [{ Origin: '127.0.0.1:PORT' }],
    [{ Origin: '' }],
  ])('does not answer pages of other sites: %o', async (headers) => {
    expect(await get({ Host: '127.0.0.1:PORT', ...headers })).toEqual({
      status: 403,
      code: 'sent_from_elsewhere',
    });
  });
});
