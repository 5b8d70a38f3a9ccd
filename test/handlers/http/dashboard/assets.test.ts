import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { generateAssets } from '../../../../handlers/build/dashboard-assets.js';
import * as generated from '../../../../handlers/http/dashboard/generated-assets.js';
import { useApi } from '../api.js';
import { browse } from '../browser.js';

const api = useApi();

test('the generated assets are those of client/: otherwise run `npm run assets`', async () => {
  expect(await generateAssets()).toEqual({ ...generated });
});

test('a page names its assets by what is in them, and a browser keeps them for good', async () => {
  const browser = browse(api);
  const page = await (await browser.get('/sign-in')).text();
  const paths = [...page.matchAll(/(?:src|href)="(\/dashboard\/assets\/[^"]+)"/g)].map(
    ([, path = '']) => path,
  );
  expect(new Set(paths).size).toBe(3);
  let bytes = 0;
  for (const path of new Set(paths)) {
    const answer = await browser.get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-type')).toMatch(/^(text\/javascript|text\/css|image\/svg\+xml)/);
    bytes += gzipSync(await answer.arrayBuffer()).length;
  }
  expect(bytes).toBeLessThan(20 * 1024);
});

test('what is large is sent compressed to those who understand it', async () => {
  const browser = browse(api);
  const page = await (await browser.get('/sign-in')).text();
  const [style = ''] = /\/dashboard\/assets\/[\w.]+\.css/.exec(page) ?? [];

  const answer = await browser.get(style, { 'accept-encoding': 'gzip, br' });

  expect(answer.headers.get('content-encoding')).toBe('gzip');
});

test('an asset of another version is not there', async () => {
  const answer = await browse(api).get('/dashboard/assets/dashboard.000000000000.js');

  expect(answer.status).toBe(404);
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

test('a page may load what is ours, and run or be styled by nothing that stands in it', async () => {
  const answer = await browse(api).get('/sign-in');

  const policy = answer.headers.get('content-security-policy') ?? '';
  expect(policy.split('; ').toSorted()).toEqual([
    "base-uri 'none'",
    "connect-src 'self'",
    "default-src 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "img-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
  ]);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  expect(await answer.text()).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
});
