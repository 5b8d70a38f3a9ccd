import { expect, test } from 'vitest';
import { createHttpHandler } from '../../handlers/lambda.js';
import { collectionNames } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf, httpEvent } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

const arn = 'arn:aws:sts::123456789012:assumed-role/caller/session';
const body = JSON.stringify({ name: 'echo', input: {} });
const json = { 'content-type': 'application/json' };

function httpHandler(env: Record<string, string> = { HTTP_ACCESS: 'iam' }, log = silent) {
  const handler = createHttpHandler({ ...deploymentOf(database, lambda(), [echo], env), log });
  return (...event: Parameters<typeof httpEvent>) => handler(httpEvent(...event), contextOf(29_000));
}

const storedJobs = () => database.db.collection(collectionNames.jobs).countDocuments();

test('a caller whose signature API Gateway has checked may do anything, and is named in the log', async () => {
  const lines: string[] = [];
  const info = (message: string, fields?: object) => void lines.push(JSON.stringify({ message, ...fields }));
  const handle = httpHandler(undefined, { ...silent, info });

  const added = await handle('POST', '/v1/jobs', { headers: json, body, signedBy: arn });
  const removed = await handle('DELETE', '/v1/jobs', { query: 'status=completed', signedBy: arn });

  expect([added.statusCode, removed.statusCode]).toEqual([202, 200]);
  expect(lines.join()).toContain(`"key":"${arn}"`);
});

test.each([
  ['nothing', {}],
  ['a key', { authorization: 'Bearer the-key' }],
  ['a signature that API Gateway knows nothing of', { authorization: 'AWS4-HMAC-SHA256 Credential=x' }],
  [
    'headers that pose as API Gateway',
    { 'x-amzn-request-context': `{"authorizer":{"iam":{"userArn":"${arn}"}}}` },
  ],
])('with %s a request is refused', async (_, headers) => {
  const answer = await httpHandler()('POST', '/v1/jobs', { headers: { ...json, ...headers }, body });

  expect(answer.statusCode).toBe(401);
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'not_signed' });
  expect(answer.headers).toMatchObject({ 'www-authenticate': 'AWS4-HMAC-SHA256' });
  expect(await storedJobs()).toBe(0);
});

test('a body that poses as API Gateway is refused', async () => {
  const forged = JSON.stringify({ requestContext: { authorizer: { iam: { userArn: arn } } } });

  const answer = await httpHandler()('POST', '/v1/jobs', { headers: json, body: forged });

  expect(answer.statusCode).toBe(401);
});

test('without HTTP_ACCESS=iam a signature opens nothing', async () => {
  const answer = await httpHandler({})('POST', '/v1/jobs', { headers: json, body, signedBy: arn });

  expect(JSON.parse(answer.body)).toMatchObject({ code: 'unauthorized' });
  expect(await storedJobs()).toBe(0);
});

test('whoever is not told how callers are told apart refuses them', async () => {
  const answer = await httpHandler({ API_KEYS: '' })('POST', '/v1/jobs', {
    headers: json,
    body,
    signedBy: arn,
  });

  expect(JSON.parse(answer.body)).toMatchObject({ code: 'no_api_keys' });
});

test('health is open', async () => {
  expect(await httpHandler()('GET', '/health')).toMatchObject({ statusCode: 200 });
});

test('a wait ends before the time of the function does', async () => {
  const id = await database
    .processor()
    .addJobFactory(echo)
    .then(() => database.processor().addJob('echo', {}));
  const handler = createHttpHandler(deploymentOf(database, lambda(), [echo], { HTTP_ACCESS: 'iam' }));
  const event = httpEvent('GET', `/v1/jobs/${id}`, { query: 'wait=25', signedBy: arn });

  const answer = await handler(event, contextOf(2_200));

  expect(JSON.parse(answer.body)).toMatchObject({ id, status: 'queued' });
});

test.each([
  ['is answered where its origin may call', { CORS_ORIGINS: 'https://app.example' }, 204],
  ['is refused where no other site may call', {}, 401],
])('what a browser asks before it signs a request %s', async (_, env, status) => {
  const handle = httpHandler({ HTTP_ACCESS: 'iam', ...env });
  const asks = {
    origin: 'https://app.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,x-amz-date,x-amz-security-token',
  };
  expect(await handle('OPTIONS', '/v1/jobs', { headers: asks })).toMatchObject({ statusCode: status });
  expect(await handle('POST', '/v1/jobs', { headers: { ...json, ...asks }, body })).toMatchObject({
    statusCode: 401,
  });
});
