import { expect, test } from 'vitest';
import { collectionNames } from '../../../collection-names.js';
import { useApi } from '../api.js';
import { type Browser, browse, from } from '../browser.js';

const api = useApi();
const LIMIT = 10;

test('after ten wrong keys an address is told to wait, and no other address', async () => {
  const browser = browse(api);
  await fail(browser, LIMIT);

  const limited = await browser.signIn('wrong');

  expect(limited.status).toBe(429);
  expect(await limited.text()).toContain('Try again in 15 minutes.');
  const seconds = Number(limited.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(14 * 60);
  expect(seconds).toBeLessThanOrEqual(15 * 60);
  expect(browser.cookies.size).toBe(0);
  expect((await browse(api, {}, from('203.0.113.8')).signIn('wrong')).status).toBe(401);
});

test('wrong keys do not keep out who has the right one, and stands behind the same proxy', async () => {
  await fail(browse(api), LIMIT);
  expect((await browse(api).signIn('wrong')).status).toBe(429);

  expect((await browse(api).signIn('key-of-admin')).status).toBe(303);
  expect((await browse(api).signIn('wrong')).status).toBe(429);
});

test('of many that are sent at the same moment no more than ten are looked at', async () => {
  const browser = browse(api);

  const answers = await Promise.all(Array.from({ length: 25 }, () => browser.signIn('wrong')));

  expect(answers.filter(({ status }) => status === 401)).toHaveLength(LIMIT);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(25 - LIMIT);
});

test('right keys do not count, and do not excuse wrong ones', async () => {
  const browser = browse(api);
  await fail(browser, LIMIT - 1);
  for (let count = 0; count < 3; count += 1) expect((await browser.signIn('key-of-read')).status).toBe(303);

  expect((await browser.signIn('wrong')).status).toBe(401);
  expect((await browser.signIn('wrong')).status).toBe(429);
});

test('a wrong key counts for 15 minutes', async () => {
  const browser = browse(api);
  await fail(browser, LIMIT);
  const wrongKeys = api.database.db.collection(collectionNames.wrongKeys);
  await wrongKeys.updateMany({}, [
    { $set: { at: { $map: { input: '$at', in: { $subtract: ['$$this', 15 * 60_000] } } } } },
  ]);

  expect((await browser.signIn('wrong')).status).toBe(401);
  expect((await browser.signIn('key-of-read')).status).toBe(303);
  const [kept] = await wrongKeys.find().toArray();
  expect(kept?.at).toHaveLength(1);
  expect(kept?.expireAt.getTime() - kept?.written.getTime()).toBe(15 * 60_000);
});

test.each([
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::1', true],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:3:3:4:5:6', false],
  ['203.0.113.7', '::ffff:203.0.113.7', true],
  ['fe80::1%eth0', 'fe80::2%eth0', true],
])('%s and %s are counted together: %s', async (one, another, isSame) => {
  await fail(browse(api, {}, from(one)), LIMIT);

  const answer = await browse(api, {}, from(another)).signIn('wrong');

  expect(answer.status).toBe(isSame ? 429 : 401);
});

test('what a request says of itself does not change where it comes from', async () => {
  const browser = browse(api);
  for (let count = 0; count < LIMIT; count += 1) {
    const headers = {
      'sec-fetch-site': 'same-origin',
      'x-forwarded-for': `198.51.100.${count}`,
      forwarded: `for=198.51.100.${count}`,
    };
    await browser.post('/sign-in', { key: 'wrong' }, headers);
  }

  expect((await browser.signIn('wrong')).status).toBe(429);
});

test('MongoDB deletes what no longer counts', async () => {
  const indexes = await api.database.db.collection(collectionNames.wrongKeys).indexes();

  expect(indexes).toContainEqual(expect.objectContaining({ key: { expireAt: 1 }, expireAfterSeconds: 0 }));
});

async function fail(browser: Browser, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) expect((await browser.signIn('wrong')).status).toBe(401);
}
