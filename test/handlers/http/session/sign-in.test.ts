import { serializeSigned } from 'hono/utils/cookie';
import { afterEach, expect, test, vi } from 'vitest';
import { collectionNames } from '../../../collection-names.js';
import { silent } from '../../../database.js';
import { expectProblem, useApi } from '../api.js';
import { Browser, browse, keyOf, secrets, signedIn } from '../browser.js';

const api = useApi({}, { monitorCommands: true });
const other = 'another-secret-for-the-tests-of-sessions';

afterEach(() => void vi.useRealTimers());

/** A browser with a copy of the cookies of another, at a server of its own. */
function copyOf(browser: Browser): Browser {
  const copy = browse(api);
  for (const [name, value] of browser.cookies) copy.cookies.set(name, value);
  return copy;
}

test('with a key one signs in, and gets where one wanted to', async () => {
  const browser = browse(api);

  const turnedAway = await browser.get('/dashboard/schedulers?x=1');
  expect(turnedAway.status).toBe(303);
  expect(turnedAway.headers.get('location')).toBe('/sign-in?next=%2Fdashboard%2Fschedulers%3Fx%3D1');
  expect(await (await browser.get('/sign-in?next=%2Fdashboard%2Fschedulers%3Fx%3D1')).text()).toContain(
    'name="next" value="/dashboard/schedulers?x=1"',
  );

  const answer = await browser.post('/sign-in', { key: ' key-of-read\n', next: '/dashboard/schedulers?x=1' });

  expect(answer.status).toBe(303);
  expect(answer.headers.get('location')).toBe('/dashboard/schedulers?x=1');
  const page = await browser.get('/dashboard/schedulers');
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('the-read (read)');
  expect((await browser.get('/sign-in')).headers.get('location')).toBe('/');
});

test.each([
  'https://elsewhere.example/',
  '//elsewhere.example/',
  '/\\elsewhere.example',
  '/dashboard/..//elsewhere.example',
  'javascript:alert(1)',
  '/v1/jobs',
  '/sign-out',
  '\r\nset-cookie: a=b',
])('after signing in, %j leads nowhere but to the overview', async (next) => {
  const answer = await browse(api).post('/sign-in', { key: 'key-of-read', next });

  expect(answer.status).toBe(303);
  expect(answer.headers.get('location')).toBe('/');
});

test('the cookie is for this host alone, kept from scripts and other sites, and ends after 12 hours', async () => {
  const answer = await browse(api).signIn('key-of-read');

  const [cookie = ''] = answer.headers.getSetCookie();
  expect(cookie).toMatch(/^__Host-session=/);
  expect(cookie.split('; ').slice(1).toSorted()).toEqual(
    ['HttpOnly', 'Max-Age=43200', 'Path=/', 'SameSite=Strict', 'Secure'].toSorted(),
  );
  expect(cookie).not.toContain('key-of-read');
});

test('on the own machine, without https, the cookie does without', async () => {
  const browser = browse(api);
  const local = new Browser(browser.send, 'http://127.0.0.1:3000');

  const [cookie = ''] = (await local.signIn('key-of-read')).headers.getSetCookie();

  expect(cookie).toMatch(/^session=/);
  expect(cookie).not.toContain('Secure');
  expect((await local.get('/dashboard/schedulers')).status).toBe(200);
});

test('a session is over after 12 hours, whatever the browser does with its cookie', async () => {
  const browser = await signedIn(api, 'read');
  const [[name, value] = ['', '']] = browser.cookies;
  const [claims = ''] = decodeURIComponent(value).split('.');
  const { expires, ...others } = JSON.parse(Buffer.from(claims, 'base64url').toString());
  expect(Math.abs(expires - Date.now() - 12 * 3_600_000)).toBeLessThan(60_000);
  for (const [moment, status] of [
    [Date.now() + 60_000, 200],
    [Date.now() - 1, 303],
  ] as const) {
    const text = Buffer.from(JSON.stringify({ ...others, expires: moment })).toString('base64url');
    const line = await serializeSigned('session', text, secrets[0] ?? '');
    browser.cookies.set(name, line.slice('session='.length));
    expect((await browser.get('/dashboard/schedulers')).status).toBe(status);
  }
});

test('signing out takes the cookie away, and only with the token', async () => {
  const browser = await signedIn(api, 'read');
  await browser.post('/sign-out', { token: 'x' });
  expect((await browser.get('/dashboard/schedulers')).status).toBe(200);

  const answer = await browser.submit('/sign-out', {});

  expect(answer.headers.get('location')).toBe('/sign-in');
  expect(browser.cookies.size).toBe(0);
  expect((await browser.get('/dashboard/schedulers')).status).toBe(303);
});

test('signing out ends the session in every copy of its cookie, and no other session of the key', async () => {
  const browser = await signedIn(api, 'read');
  const another = await signedIn(api, 'read');
  const copy = copyOf(browser);
  const elsewhere = copyOf(browser); // Another server, which has seen the session just now.
  expect((await elsewhere.get('/dashboard/schedulers')).status).toBe(200);

  await browser.submit('/sign-out', {});

  expect((await copy.get('/dashboard/schedulers')).status).toBe(303);
  expect((await copy.get('/sign-in')).status).toBe(200);
  expect((await another.get('/dashboard/schedulers')).status).toBe(200);
  const now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(now + 5_000);
  const later = await elsewhere.get('/dashboard/schedulers');
  clock.mockRestore();
  expect(later.status).toBe(303);
});

test('whether a session was ended is asked every 5 seconds at most, and kept no longer than the session', async () => {
  const browser = await signedIn(api, 'read');
  await browser.get('/dashboard/schedulers');
  const commands = await api.database.commandsDuring(async () => {
    await browser.get('/dashboard/schedulers');
  });
  expect(JSON.stringify(commands.map(({ command }) => command))).not.toContain(collectionNames.endedSessions);

  await browser.submit('/sign-out', {});

  const [ended] = await api.database.db.collection(collectionNames.endedSessions).find().toArray();
  const hours = (ended?.expireAt.getTime() - Date.now()) / 3_600_000;
  expect(Math.round(hours)).toBe(13); // A clock may be wrong.
  expect(await api.database.db.collection(collectionNames.endedSessions).indexes()).toContainEqual(
    expect.objectContaining({ key: { expireAt: 1 }, expireAfterSeconds: 0 }),
  );
});

test('a session that nobody uses for an hour is over; what a page does by itself is no use', async () => {
  const browser = await signedIn(api, 'read');
  const copy = copyOf(browser);
  const began = Date.now();
  vi.useFakeTimers({ toFake: ['Date'] });
  const at = (minutes: number) => vi.setSystemTime(began + minutes * 60_000);

  at(50);
  expect((await browser.get('/dashboard/schedulers')).headers.getSetCookie()).toHaveLength(1);
  at(50.5);
  expect((await browser.get('/dashboard/schedulers')).headers.getSetCookie()).toEqual([]);
  at(100);
  const refreshed = await browser.get('/dashboard/schedulers', { 'x-refresh': '1' });
  expect([refreshed.status, refreshed.headers.getSetCookie()]).toEqual([200, []]);
  expect((await copy.get('/dashboard/schedulers')).status).toBe(303);
  at(111);
  expect((await browser.get('/dashboard/schedulers')).status).toBe(303);
});

test('however often it is used, a session ends 12 hours after it began', async () => {
  const browser = await signedIn(api, 'read');
  const began = Date.now();
  vi.useFakeTimers({ toFake: ['Date'] });

  for (let minutes = 30; minutes <= 12 * 60; minutes += 30) {
    vi.setSystemTime(began + minutes * 60_000 - 1_000);
    expect((await browser.get('/dashboard/schedulers')).status).toBe(200);
  }
  vi.setSystemTime(began + 12 * 3_600_000 + 1_000);
  expect((await browser.get('/dashboard/schedulers')).status).toBe(303);
});

test.each(['', 'nobody', 'the-read', 'key-of-rea', ' '])('the key %j is refused', async (key) => {
  const browser = browse(api);

  const answer = await browser.signIn(key);

  expect(answer.status).toBe(401);
  expect(await answer.text()).toContain('This is not a key of this installation.');
  expect(browser.cookies.size).toBe(0);
});

test('a session of a changed cookie is none', async () => {
  const browser = await signedIn(api, 'read');
  const [[name, value] = ['', '']] = browser.cookies;
  const [claims = '', signature = ''] = decodeURIComponent(value).split('.');
  const asAdmin = Buffer.from(Buffer.from(claims, 'base64url').toString().replaceAll('read', 'admin'));
  for (const forged of [
    `${asAdmin.toString('base64url')}.${signature}`,
    `${claims}.${signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
    claims,
    '',
    '.',
    '%E0%A4%A',
  ]) {
    browser.cookies.set(name, encodeURIComponent(forged));
    expect((await browser.get('/dashboard/schedulers')).status).toBe(303);
  }
});

test('secrets are rotated: all verify, the first signs', async () => {
  const before = await signedIn(api, 'read', { sessionSecrets: [other] });
  const rotated = browse(api, { sessionSecrets: [...secrets, other] });
  for (const [name, value] of before.cookies) rotated.cookies.set(name, value);
  expect((await rotated.get('/dashboard/schedulers')).status).toBe(200);

  const fresh = await signedIn(api, 'read', { sessionSecrets: [...secrets, other] });

  const after = browse(api, { sessionSecrets: secrets });
  for (const [name, value] of fresh.cookies) after.cookies.set(name, value);
  expect((await after.get('/dashboard/schedulers')).status).toBe(200);
  for (const [name, value] of before.cookies) after.cookies.set(name, value);
  expect((await after.get('/dashboard/schedulers')).status).toBe(303);
});

test.each([
  ['is no longer configured', []],
  ['has another role', [keyOf('the-admin', 'read', 'key-of-admin')]],
  ['is another under the same id', [keyOf('the-admin', 'admin', 'another key')]],
])('a session is over once its key %s', async (_, apiKeys) => {
  const browser = await signedIn(api, 'admin');
  const later = browse(api, { apiKeys });
  for (const [name, value] of browser.cookies) later.cookies.set(name, value);

  expect((await later.get('/dashboard/schedulers')).status).toBe(303);
});

test('a session does not open the API, nor a key the dashboard', async () => {
  const browser = await signedIn(api, 'admin');

  await expectProblem(await browser.get('/v1/jobs/x'), 401, 'unauthorized');
  const withKey = await browse(api).get('/dashboard/schedulers', { authorization: 'Bearer key-of-admin' });
  expect(withKey.status).toBe(303);
});

test('whoever follows a link from another site is let in, though browsers send no cookie with it', async () => {
  const answer = await browse(api).get('/dashboard/schedulers', { 'sec-fetch-site': 'cross-site' });

  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('http-equiv="refresh"');
});

test('neither keys, nor secrets, nor sessions are logged', async () => {
  const lines: string[] = [];
  const note = (...line: unknown[]) => void lines.push(JSON.stringify(line));
  const browser = browse(api, { log: { ...silent, info: note, warn: note, error: note } });
  await browser.signIn('key-of-nobody');
  await browser.signIn('key-of-read');
  await browser.get('/dashboard/schedulers');

  const logged = lines.join('\n');
  expect(logged).toContain('the-read');
  expect(logged).toContain('203.0.113.7');
  for (const secret of ['key-of-', ...secrets, ...browser.cookies.values()])
    expect(logged).not.toContain(secret);
});

test('without a secret the dashboard is off, and says so to people and to programs', async () => {
  const browser = browse(api, { sessionSecrets: [] });
  for (const path of ['/', '/sign-in', '/dashboard/jobs']) {
    const problem = await expectProblem(await browser.get(path), 404, 'dashboard_off');
    expect(problem.detail).toContain('SESSION_SECRETS');
  }
  const page = await browser.get('/', { accept: 'text/html,*/*' });
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  expect(await page.text()).toContain('SESSION_SECRETS');
  expect((await browser.post('/sign-in', { key: 'key-of-admin' })).status).toBe(404);
});

test('while no key is configured, the sign-in says how to configure one', async () => {
  const browser = browse(api, { apiKeys: [] });

  expect(await (await browser.get('/sign-in')).text()).toContain('API_KEYS');
  expect((await browser.signIn('key-of-admin')).status).toBe(401);
});

test('the form takes 4 KB, and is refused unread when it says that it has more', async () => {
  const browser = browse(api);

  expect((await browser.post('/sign-in', { key: 'x'.repeat(3_900) })).status).toBe(401);
  expect((await browser.post('/sign-in', { key: 'x'.repeat(4_200) })).status).toBe(413);
  expect((await browser.post('/sign-in', { key: 'x', more: '€'.repeat(4_000) })).status).toBe(413);
});
