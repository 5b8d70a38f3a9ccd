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

const headers = { authorization: 'Bearer the-key', 'content-type': 'application/json' };
const body = JSON.stringify({ name: 'echo', input: { text: 'ä🙂' } });

function httpHandler() {
  const handler = createHttpHandler(deploymentOf(database, lambda(), [echo]));
  return (...event: Parameters<typeof httpEvent>) => handler(httpEvent(...event), contextOf(29_000));
}

test('a job is added, the worker kicked, and the job read', async () => {
  const handle = httpHandler();

  const added = await handle('POST', '/v1/jobs', { headers, body });

  expect(added).toMatchObject({ statusCode: 202, isBase64Encoded: false });
  const { id } = JSON.parse(added.body);
  expect(added.headers).toMatchObject({ location: `/v1/jobs/${id}`, 'content-type': 'application/json' });
  expect(lambda().invocations).toMatchObject([{ payload: { kick: { depth: 0 } } }]);
  const read = await handle('GET', `/v1/jobs/${id}`, { headers });
  expect(JSON.parse(read.body)).toMatchObject({ id, status: 'queued', input: { text: 'ä🙂' } });
});

test('a body in base64 is read as API Gateway means it', async () => {
  const added = await httpHandler()('POST', '/v1/jobs', {
    headers,
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  });

  expect(added.statusCode).toBe(202);
  const [job] = await database.processor().getJobs();
  expect(job?.input).toEqual({ text: 'ä🙂' });
});

test('a large batch starts as many workers as it asks for', async () => {
  const many = JSON.stringify({
    jobs: Array.from({ length: 250 }, (_, n) => ({ name: 'echo', input: { n } })),
  });

  const added = await httpHandler()('POST', '/v1/jobs/batch', { headers, body: many });

  expect(added.statusCode).toBe(202);
  // Of 10 threads each, with 10 jobs for each thread.
  expect(lambda().invocations).toHaveLength(3);
});

test('a kick that fails does not fail the add', async () => {
  lambda().answer = 500;

  const added = await httpHandler()('POST', '/v1/jobs', { headers, body });

  expect(added.statusCode).toBe(202);
  expect(lambda().invocations).toHaveLength(2); // Two tries.
});

test('problems are answered as documents, in text', async () => {
  const handle = httpHandler();

  for (const [answer, status] of [
    [await handle('POST', '/v1/jobs', { body }), 401],
    [await handle('POST', '/v1/jobs', { headers, body: '{' }), 400],
    [await handle('POST', '/v1/jobs', { headers }), 400],
    [await handle('POST', '/v1/jobs', { headers, body: '{}' }), 422],
    [await handle('GET', '/nothing', { headers }), 404],
    [await handle('PUT', '/v1/jobs', { headers }), 405],
    [await handle('POST', '/v1/jobs', { headers, body: `"${'x'.repeat(1024 * 1024)}"` }), 413],
  ] as const) {
    expect(answer.statusCode).toBe(status);
    expect(answer.headers?.['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body).status).toBe(status);
  }
  expect(await database.db.collection(collectionNames.jobs).countDocuments()).toBe(0);
});

test('health needs no key, and HEAD has no body', async () => {
  const handle = httpHandler();

  expect(await handle('GET', '/health')).toMatchObject({ statusCode: 200, body: '{"status":"ok"}' });
  expect(await handle('HEAD', '/health')).toMatchObject({ statusCode: 200, body: '' });
});

test('without API_KEYS every request is refused', async () => {
  const handler = createHttpHandler(deploymentOf(database, lambda(), [echo], { API_KEYS: '' }));

  const answer = await handler(httpEvent('POST', '/v1/jobs', { headers, body }), contextOf(29_000));

  expect(answer.statusCode).toBe(401);
  expect(JSON.parse(answer.body).code).toBe('no_api_keys');
  expect(await database.db.collection(collectionNames.jobs).countDocuments()).toBe(0);
});

test('bad settings are named in the log, and nowhere else', async () => {
  const lines: unknown[] = [];
  const log = { ...silent, error: (...line: unknown[]) => void lines.push(line) };
  const handler = createHttpHandler({ jobs: [], log, env: { MONGODB_URI: 'postgres://hunter2' } });

  const answer = await handler(httpEvent('GET', '/health'), contextOf(29_000));

  expect(answer.statusCode).toBe(500);
  expect(JSON.parse(answer.body).code).toBe('internal_error');
  expect(answer.body).not.toContain('MONGODB_URI');
  expect(JSON.stringify(lines)).toContain('MONGODB_URI');
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});

test('a request that is refused is counted for the alarm, and no other', async () => {
  const published: unknown[] = [];
  const handler = createHttpHandler({
    ...deploymentOf(database, lambda(), [echo]),
    publishMetrics: (_, metrics) => void published.push(...metrics),
  });
  const handle = (...event: Parameters<typeof httpEvent>) => handler(httpEvent(...event), contextOf(29_000));

  await handle('GET', '/v1/jobs', { headers });
  await handle('GET', '/v1/jobs/none', { headers });
  expect(published).toEqual([]);
  await handle('GET', '/v1/jobs', { headers: { authorization: 'Bearer wrong' } });
  await handle('DELETE', '/v1/jobs/x', { headers });

  expect(published).toEqual([
    ['Refused', 'Count', 1],
    ['Refused', 'Count', 1],
  ]);
});

test('of a REST API and of a load balancer the address is counted that they tell', async () => {
  const handler = createHttpHandler(deploymentOf(database, lambda(), [echo]));
  const ask = (requestContext: object, more: object, key: string) =>
    handler(
      {
        httpMethod: 'GET',
        path: '/v1/jobs',
        isBase64Encoded: false,
        ...more,
        headers: {
          host: 'jobs.example',
          authorization: `Bearer ${key}`,
          'x-forwarded-for': '6.6.6.6, 192.0.2.1',
        },
        requestContext,
      },
      contextOf(29_000),
    );
  const rest = { identity: { sourceIp: '203.0.113.9' } };
  const balancer = { elb: { targetGroupArn: 'arn' } };

  for (const context of [rest, balancer]) {
    expect((await ask(context, {}, 'wrong')).statusCode).toBe(401);
    expect((await ask(context, {}, 'the-key')).statusCode).toBe(200);
  }

  const counted = await database.db.collection<{ _id: string }>(collectionNames.wrongKeys).find().toArray();
  expect(counted.map(({ _id }) => _id).toSorted()).toEqual(['192.0.2.1', '203.0.113.9']);
});

test.each([
  ['nothing', undefined],
  ['a schedule', { source: 'aws.events' }],
  ['a kick', { kick: { depth: 0 } }],
  ['a web socket', { requestContext: { connectionId: 'x', identity: { sourceIp: '203.0.113.9' } } }],
  ['a lattice', { method: 'GET', path: '/v1/jobs', requestContext: { serviceArn: 'arn' } }],
  ['an HTTP API without a path', { requestContext: { http: { sourceIp: '203.0.113.9' } } }],
])('an event of %s is refused', async (_, event) => {
  const handler = createHttpHandler(deploymentOf(database, lambda(), [echo]));

  await expect(handler(event, contextOf(29_000))).rejects.toThrow('Expected an event of an HTTP API');
});
