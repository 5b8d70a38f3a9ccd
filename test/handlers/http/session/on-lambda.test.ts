/** The dashboard behind API Gateway: cookies, compressed bodies and addresses in its own terms. */
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createHttpHandler } from '../../../../handlers/lambda.js';
import { collectionNames } from '../../../collection-names.js';
import { useDatabase } from '../../../database.js';
import { echo } from '../../../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from '../../deployment.js';
import { contextOf, httpEvent } from '../../events.js';
import { useLambdaService } from '../../lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

const form = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };

function httpHandler() {
  const secrets = { SESSION_SECRETS: 'a-secret-for-the-tests-on-lambda-12345' };
  const handler = createHttpHandler(deploymentOf(database, lambda(), [echo], secrets));
  return (...event: Parameters<typeof httpEvent>) => handler(httpEvent(...event), contextOf(29_000));
}

test('one signs in, and sees a page that was compressed on its way', async () => {
  const handle = httpHandler();

  const signedIn = await handle('POST', '/sign-in', { headers: form, body: 'key=the-key' });

  expect(signedIn).toMatchObject({ statusCode: 303, headers: { location: '/' } });
  const [cookie = ''] = 'cookies' in signedIn ? (signedIn.cookies ?? []) : [];
  expect(cookie).toMatch(/^__Host-session=.*Secure/);
  const page = await handle('GET', '/', {
    headers: { cookie: cookie.slice(0, cookie.indexOf(';')), 'accept-encoding': 'gzip' },
  });
  expect(page).toMatchObject({
    statusCode: 200,
    isBase64Encoded: true,
    headers: { 'content-encoding': 'gzip', 'cache-control': 'no-store' },
  });
  expect(gunzipSync(Buffer.from(page.body, 'base64')).toString()).toContain('tester (write)');
});

test('wrong keys are counted by the address that API Gateway tells', async () => {
  const handle = httpHandler();
  for (let count = 0; count < 10; count += 1) {
    const headers = { ...form, 'x-forwarded-for': `198.51.100.${count}` };
    expect((await handle('POST', '/sign-in', { headers, body: 'key=wrong' })).statusCode).toBe(401);
  }

  expect((await handle('POST', '/sign-in', { headers: form, body: 'key=wrong' })).statusCode).toBe(429);
  expect((await handle('POST', '/sign-in', { headers: form, body: 'key=the-key' })).statusCode).toBe(303);

  const [counted] = await database.db.collection<{ _id: string }>(collectionNames.wrongKeys).find().toArray();
  expect(counted?._id).toBe('203.0.113.7');
});
