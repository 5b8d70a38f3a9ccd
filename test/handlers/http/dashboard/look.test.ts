import { expect, test } from 'vitest';
import { useApi } from '../api.js';
import { signedIn } from '../browser.js';

const api = useApi();

test('colours, refresh and keys are as one likes them, from the first byte of each page', async () => {
  const browser = await signedIn(api, 'read');
  const htmlOf = async () => /<html[^>]*>/.exec(await (await browser.get('/dashboard/jobs')).text())?.[0];
  expect(await htmlOf()).toContain('data-theme="system" data-refresh="on" data-shortcuts="on"');

  const here = '/dashboard/jobs?status=error';
  const changed = await browser.submit('/dashboard/look', { set: 'theme=dark', here });
  expect(changed.headers.get('location')).toBe(here);
  await browser.submit('/dashboard/look', { set: 'refresh=off', here: 'https://elsewhere.example/' });

  expect(await htmlOf()).toContain('data-theme="dark" data-refresh="off" data-shortcuts="on"');
  expect(await (await browser.get('/dashboard/jobs')).text()).toContain('name="color-scheme" content="dark"');
  for (const set of ['theme="><script>', 'nothing=1', '', '__proto__=1'])
    await browser.submit('/dashboard/look', { set, here });
  expect(await htmlOf()).toContain('data-theme="system" data-refresh="off"');
  browser.cookies.set('__Host-look', 'theme=%22%3E%3Cb%3E&x=1');
  expect(await htmlOf()).toContain('data-theme="system" data-refresh="on"');
  expect((await api.processor.audit.list()).entries).toEqual([]);
});

test('times are relative, in UTC or local, as one likes them', async () => {
  const browser = await signedIn(api, 'read');
  await api.processor.addJob('echo', {});
  const timesOf = async () =>
    (await (await browser.get('/dashboard/jobs')).text()).match(/<time.*?<\/time>/g);
  const choose = (set: string) => browser.submit('/dashboard/look', { set, here: '/' });
  const utc = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`;
  const relative = new RegExp(`^<time datetime="[^"]+" title="${utc}">(now|\\d+ s ago)</time>$`);
  expect(await timesOf()).toContainEqual(expect.stringMatching(relative));

  await choose('times=utc');
  const exact = new RegExp(`^<time datetime="[^"]+">${utc}</time>$`);
  for (const time of (await timesOf()) ?? ['none']) expect(time).toMatch(exact);
  await choose('times=local');
  const local = new RegExp(`^<time datetime="[^"]+" title="${utc}" data-local="[^"]*">${utc}</time>$`);
  for (const time of (await timesOf()) ?? ['none']) expect(time).toMatch(local);
  await choose('times=sidereal');
  expect(await timesOf()).toContainEqual(expect.stringMatching(relative));
});
