import { expect, test } from 'vitest';
import { isPlainPath } from '../../../handlers/http/plain-path.js';
import { createHttpHandler } from '../../../handlers/lambda.js';
import { collectionNames } from '../../collection-names.js';
import { silent } from '../../database.js';
import { echo } from '../../jobs.js';
import { rawRequest } from '../../raw-request.js';
import { closeConnectionsAfterwards, deploymentOf } from '../deployment.js';
import { contextOf, httpEvent } from '../events.js';
import { useLambdaService } from '../lambda-service.js';
import { useApi } from './api.js';

const api = useApi();
const lambda = useLambdaService();
closeConnectionsAfterwards();

/** What all of these would pause if somebody resolved them. */
const ambiguous = [
  '/v1/jobs/../queues/default/pause',
  '/v1/./queues/default/pause',
  '/v1/jobs/%2e%2e/queues/default/pause',
  '/v1/jobs/.%2E/queues/default/pause',
  '/v1/jobs/..%2fqueues/default/pause',
  '/v1/jobs/..%5Cqueues/default/pause',
  '/v1/jobs/x%2f..%2f..%2fqueues/default/pause',
  '/v1/jobs\\..\\queues\\default\\pause',
  '/v1\\queues/default/pause',
  '//v1/queues/default/pause',
  '/v1//queues/default/pause',
  '/v1/queues/default//pause',
  '/v1/%71ueues/default/pause',
  '/%76%31/queues/default/pause',
  '/v1/queues/default/%70ause',
  '/v1/queues/default/pause/..',
  '/v1/queues/default/pause/../pause',
  '/v1/queues/default%00/pause',
  'http://127.0.0.1/v1/queues/default/pause',
];
const arn = 'arn:aws:sts::123456789012:assumed-role/caller/session';
const paused = () => api.database.db.collection(collectionNames.queues).countDocuments();

const send = (method: string, path: string) =>
  rawRequest(api.url, [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Authorization: Bearer key-of-admin',
  ]);

test('sent to a server, none of these is served', async () => {
  for (const path of ambiguous) {
    const { status, body, head } = await send('POST', path);
    expect({ path, status }).toEqual({ path, status: 400 });
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'invalid_address' });
    expect(head).toContain('application/problem+json');
  }
  expect(await paused()).toBe(0);
  expect((await send('POST', '/v1/queues/default/pause')).status).toBe(200);
});

/** An HTTP API gives the path decoded. */
const decoded = [
  '/v1/queues/default/pause ',
  '/v1/queues/default/pa\tuse',
  '\n/v1/queues/default/pause',
  '/v1/queues/default/pause#',
  '/v1/queues/default/pause?x=/y',
  '/v1/queues/\ud800/pause',
  'v1/queues/default/pause',
];

test.each(['keys', 'iam'])('sent to a function where %s let in, none of these is served', async (access) => {
  const env = { HTTP_ACCESS: access, API_KEYS: '' };
  const handler = createHttpHandler({ ...deploymentOf(api.database, lambda(), [echo], env), log: silent });
  for (const path of [...ambiguous, ...decoded]) {
    const event = httpEvent('POST', path, { signedBy: arn });
    const answer = await handler(event, contextOf(29_000));
    expect({ path, status: answer.statusCode, body: answer.body }).toMatchObject({
      path,
      status: 400,
      body: expect.stringContaining('invalid_address'),
    });
  }
  expect(await paused()).toBe(0);
});

test('of a load balancer and a REST API the path is looked at as it came, too', async () => {
  const handler = createHttpHandler(deploymentOf(api.database, lambda(), [echo]));
  const path = '/v1/jobs/%2e%2e/queues/default/pause';
  const event = { httpMethod: 'POST', path, headers: { host: 'jobs.example' }, isBase64Encoded: false };
  for (const requestContext of [
    { elb: { targetGroupArn: 'arn' } },
    { identity: { sourceIp: '203.0.113.7' } },
  ]) {
    const answer = await handler({ ...event, requestContext }, contextOf(29_000));
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'invalid_address' });
  }
});

const odd = [
  'order-4711',
  'a b',
  'a/b',
  'https://shop.example/orders/4711?x=1#y',
  'a//b',
  'ä🙂',
  '100%',
  '%41',
  '..hidden',
  'a..b',
  '...',
  "!$&'()*+,;=:@",
  'a\\b',
  'line\nbreak',
];

test('jobs of odd ids have addresses', async () => {
  for (const id of odd) {
    const added = await api.call('/v1/jobs', { body: { name: 'echo', input: {}, options: { id } } });
    const { body, status } = await send('GET', added.headers.get('location') ?? '');
    expect({ id, status }).toEqual({ id, status: 200 });
    expect(JSON.parse(body).id).toBe(id);
  }
});

test.each(['a/../b', '../x', 'x/.', 'a\\..\\b'])('the id %j has no address, and is refused', async (id) => {
  const answer = await api.call('/v1/jobs', { body: { name: 'echo', input: {}, options: { id } } });

  expect(answer.status).toBe(422);
  expect(await api.storedJobs()).toBe(0);
});

test('what is not escaped though it should be is let pass, for an HTTP API gives paths decoded', () => {
  for (const path of ['/v1/jobs/a b', '/v1/jobs/ä🙂', '/v1/jobs/100%', '/v1/jobs/{x}', '/v1/jobs/']) {
    expect([path, isPlainPath(path)]).toEqual([path, true]);
  }
});
