import { expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../../../handlers/http/body.js';
import { useApi } from '../api.js';
import { browse, signedIn } from '../browser.js';

const api = useApi();
const item = { id: 'daily', type: 'Cron', cron: '@daily', jobName: 'echo', input: {} } as const;
const activate = '/dashboard/schedulers/daily/activate';

test.each<[string, Record<string, string>]>([
  ['another site', { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' }],
  ['a neighbour', { origin: 'https://other.jobs.example', 'sec-fetch-site': 'same-site' }],
  ['nobody knows where', { origin: 'null' }],
  ['a sender that does not tell', {}],
])('a form of %s changes nothing, even with the token', async (_, headers) => {
  await api.processor.addScheduler(item);
  const browser = await signedIn(api, 'admin');
  const token = await browser.token();

  const answer = await browser.post(activate, { token }, headers);

  expect(answer.status).toBe(403);
  const page = await answer.text();
  expect(page).toContain('<h1>The request came from a page of another site</h1>');
  expect(page).toContain('not sent by a page of this site');
  expect((await browse(api).post('/sign-in', { key: 'key-of-read' }, headers)).status).toBe(403);
  expect((await api.processor.getScheduler('daily'))?.active).toBe(false);
});

test.each<[string, Record<string, string>]>([
  ['by Sec-Fetch-Site', { 'sec-fetch-site': 'same-origin' }],
  ['by Origin', { origin: 'https://jobs.example' }],
])('a form of this site is known %s', async (_, headers) => {
  await api.processor.addScheduler(item);
  const browser = await signedIn(api, 'admin');

  const answer = await browser.post(activate, { token: await browser.token() }, headers);

  expect(answer.status).toBe(303);
  expect((await api.processor.getScheduler('daily'))?.active).toBe(true);
});

test('a form needs the token of its session: none, a wrong one and that of another will not do', async () => {
  await api.processor.addScheduler(item);
  const browser = await signedIn(api, 'admin');
  const anothers = await (await signedIn(api, 'admin')).token();
  expect(anothers).not.toBe(await browser.token());

  for (const token of ['', 'x', anothers, `${await browser.token()}x`]) {
    const answer = await browser.post(activate, { token });
    expect(answer.status).toBe(403);
    const page = await answer.text();
    expect(page).toContain('<h1>This page is out of date</h1>');
    expect(page).not.toContain('role does not allow');
  }
  expect((await browser.post(activate, {})).status).toBe(403);
  expect((await api.processor.getScheduler('daily'))?.active).toBe(false);
});

test('what is no form is refused, and so is a form that is too large', async () => {
  const browser = await signedIn(api, 'admin');
  const sameOrigin = { 'sec-fetch-site': 'same-origin' };
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const send = (headers: Record<string, string>, body: string) =>
    browser.send(
      new Request(browser.origin + activate, { method: 'POST', headers: { ...headers, cookie }, body }),
    );

  expect((await send({ ...sameOrigin, 'content-type': 'application/json' }, '{}')).status).toBe(415);
  const form = { ...sameOrigin, 'content-type': 'application/x-www-form-urlencoded' };
  const rest = `token=${await browser.token()}&text=`;
  const room = MAX_BODY_BYTES - (rest.length - '=&='.length);
  const missing = 404; // There is no such item: it was read.
  expect((await send(form, rest + 'x'.repeat(room))).status).toBe(missing);
  // However it is sent, what counts is what it holds.
  expect((await send(form, rest + '%22'.repeat(room))).status).toBe(missing);
  expect((await send(form, rest + 'x'.repeat(room + 1))).status).toBe(413);
  expect((await send(form, rest + 'x'.repeat(5 * MAX_BODY_BYTES))).status).toBe(413);
});

test('a form of very many fields is refused, though they hold nothing: no page grows by them', async () => {
  const browser = await signedIn(api, 'admin');
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const token = await browser.token();
  const remove = async (fields: string) => {
    const headers = {
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
      cookie,
    };
    const body = `token=${token}&action=remove&id=x&${fields}`;
    const request = new Request(`${browser.origin}/dashboard/jobs`, { method: 'POST', headers, body });
    return browser.send(request);
  };

  // It asks whether that is meant, by a form that repeats what was sent.
  expect((await remove('=&'.repeat(1_000))).status).toBe(200);
  expect((await remove('=&'.repeat(50_000))).status).toBe(413);
  expect((await remove('a&'.repeat(50_000))).status).toBe(413);
});
