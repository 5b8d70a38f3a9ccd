import { createHmac } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { anyAddress, isPublicAddress } from '../../../handlers/jobs/webhook/addresses.js';
import { redirectOf } from '../../../handlers/jobs/webhook/redirect.js';
import { type WebhookSettings, webhook } from '../../../handlers/jobs/webhook.js';
import { collectionNames } from '../../collection-names.js';
import { useDatabase } from '../../database.js';
import { Receiver, useReceiver } from './receiver.js';

const database = useDatabase();
const receiver = useReceiver();

/** Adds a webhook job, runs one attempt of it, and returns the job. */
async function attempt(input: object, settings: Partial<WebhookSettings> = {}) {
  const processor = database.processor();
  await processor.addJobFactory(webhook({ secret: undefined, mayConnectTo: anyAddress, ...settings }));
  const id = await processor.addJob('webhook', input, { id: 'the-job' });
  await processor.processNextJob();
  const job = await processor.getJob(id);
  return { status: job?.status, output: job?.output, error: job?.errors[0]?.message };
}

test('the body arrives as JSON, and the job tells what was answered', async () => {
  const body = { text: 'ä🙂', list: [1, null] };

  const job = await attempt({ url: `${receiver().url}/hook?a=b`, body });

  expect(job).toMatchObject({ status: 'completed', output: { status: 200, body: 'thanks' } });
  const [request] = receiver().received;
  expect(request).toMatchObject({ method: 'POST', path: '/hook?a=b' });
  expect(request?.headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': 'the-job',
    'webhook-id': 'the-job',
    'webhook-attempt': '1',
  });
  expect(request?.headers).not.toHaveProperty('webhook-signature');
  expect(JSON.parse(request?.body ?? '')).toEqual(body);
});

test.each([
  ['a text', 'hush', Buffer.from('hush')],
  ['a key of the standard', `whsec_${Buffer.from([1, 2, 255]).toString('base64')}`, Buffer.from([1, 2, 255])],
])('the body is signed with %s, together with id and time', async (_, secret, key) => {
  await attempt({ url: receiver().url, body: { a: 1 } }, { secret });

  const [request] = receiver().received;
  const timestamp = String(request?.headers['webhook-timestamp']);
  const signature = createHmac('sha256', key).update(`the-job.${timestamp}.{"a":1}`).digest('base64');
  expect(request?.headers['webhook-signature']).toBe(`v1,${signature}`);
  expect(Math.abs(Number(timestamp) * 1000 - Date.now())).toBeLessThan(60_000);
});

test.each([500, 502, 503, 599, 408, 425, 429])('an answer %i is worth another attempt', async (status) => {
  receiver().answer = (response) => response.writeHead(status).end('not now');

  const job = await attempt({ url: receiver().url, body: {} });

  expect(job.status).toBe('queued');
  expect(job.error).toBe(`127.0.0.1:${receiver().port} answered ${status}: not now`);
});

test.each([400, 401, 403, 404, 410, 422, 304, 300])('an answer %i is for good', async (status) => {
  receiver().answer = (response) => response.writeHead(status).end();

  const job = await attempt({ url: receiver().url, body: {} });

  expect(job.status).toBe('error');
  expect(job.error).toContain(`answered ${status}`);
});

test('a later attempt has the same id and another number', async () => {
  receiver().answer = (response) => response.writeHead(503).end();
  await attempt({ url: receiver().url, body: {} });
  const processor = database.processor();
  await processor.addJobFactory(webhook({ secret: undefined, mayConnectTo: anyAddress }));
  await processor.updateJob('the-job', { runAt: new Date(0) });

  await processor.processNextJob();

  expect(receiver().received.map(({ headers }) => headers['webhook-attempt'])).toEqual(['1', '2']);
  expect(receiver().received.map(({ headers }) => headers['idempotency-key'])).toEqual([
    'the-job',
    'the-job',
  ]);
});

test('a port where nobody listens is worth another attempt', async () => {
  const job = await attempt({ url: 'http://127.0.0.1:1/', body: {} });

  expect(job.status).toBe('queued');
  expect(job.error).toContain('Could not reach 127.0.0.1:1: connect ECONNREFUSED');
});

test('a name that does not exist is worth another attempt', async () => {
  const job = await attempt({ url: 'http://nowhere.invalid/', body: {} }, { mayConnectTo: isPublicAddress });

  expect(job.status).toBe('queued');
  expect(job.error).toContain('Could not reach nowhere.invalid: getaddrinfo');
});

test('a connection that breaks is worth another attempt', async () => {
  receiver().answer = (response) => response.destroy();

  expect((await attempt({ url: receiver().url, body: {} })).status).toBe('queued');
});

test('an answer that breaks off is worth another attempt', async () => {
  receiver().answer = (response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.destroy());
  };

  expect((await attempt({ url: receiver().url, body: {} })).status).toBe('queued');
});

test('no answer in time is worth another attempt', async () => {
  receiver().answer = () => {};

  const job = await attempt({ url: receiver().url, body: {}, timeout: '200ms' });

  expect(job.status).toBe('queued');
  expect(job.error).toBe(`No answer from 127.0.0.1:${receiver().port} within 200 ms.`);
});

test('an answer without end is read at its beginning only', async () => {
  receiver().answer = (response) => {
    response.write('x');
    const more = () => {
      while (response.write('🙂'.repeat(1000)));
      response.once('drain', more);
    };
    more();
  };

  const job = await attempt({ url: receiver().url, body: {}, timeout: '10s' });

  expect(job).toMatchObject({
    status: 'completed',
    output: { status: 200, body: `x${'🙂'.repeat(499)}\ufffd` },
  });
});

test('a job that is told to stop stops', async () => {
  const stop = new AbortController();
  receiver().answer = () => stop.abort();
  const processor = database.processor();
  const factory = webhook({ secret: undefined, mayConnectTo: anyAddress });
  await processor.addJobFactory(factory);
  const id = await processor.addJob(factory, { url: receiver().url, body: {} });

  const summary = await processor.drain({ signal: stop.signal });

  expect(summary).toMatchObject({ claimed: 1, givenBack: 1 });
  expect((await processor.getJob(id))?.retryCounter).toBe(0);
});

test.each([301, 302, 307, 308])('after a redirect %i the body is sent on', async (status) => {
  receiver().answer = (response, path) => {
    if (path === '/old') response.writeHead(status, { location: '/new' }).end();
    else response.end('here');
  };

  const job = await attempt({ url: `${receiver().url}/old`, body: { a: 1 } });

  expect(job.output).toEqual({ status: 200, body: 'here' });
  expect(receiver().received.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['POST', '/old', '{"a":1}'],
    ['POST', '/new', '{"a":1}'],
  ]);
});

test('after a redirect 303 the result is fetched', async () => {
  receiver().answer = (response, path) => {
    if (path === '/old') response.writeHead(303, { location: '/result' }).end();
    else response.end('done');
  };

  const job = await attempt({ url: `${receiver().url}/old`, body: { a: 1 } }, { secret: 'hush' });

  expect(job.output).toEqual({ status: 200, body: 'done' });
  expect(receiver().received[1]).toMatchObject({ method: 'GET', path: '/result', body: '' });
  expect(receiver().received[1]?.headers).not.toHaveProperty('webhook-signature');
});

test('redirects without end are for good', async () => {
  receiver().answer = (response) => response.writeHead(307, { location: '/again' }).end();

  const job = await attempt({ url: receiver().url, body: {} });

  expect(job.status).toBe('error');
  expect(receiver().received).toHaveLength(6);
});

test.each(['file:///etc/passwd', 'ftp://example.com/', 'http://', 'javascript:alert(1)'])(
  'a redirect to %s is for good',
  async (location) => {
    receiver().answer = (response) => response.writeHead(302, { location }).end();

    const job = await attempt({ url: receiver().url, body: {} });

    expect(job.status).toBe('error');
    expect(job.error).toContain('no http or https URL');
  },
);

const badInputs: [input: object, path: string][] = [
  [{ url: 'file:///etc/passwd', body: {} }, 'url'],
  [{ url: 'example.com/hook', body: {} }, 'url'],
  [{ url: 'javascript:alert(1)', body: {} }, 'url'],
  [{ url: '', body: {} }, 'url'],
  [{ url: 'http://', body: {} }, 'url'],
  [{ url: 'http://user:password@example.com/', body: {} }, 'url'],
  [{ url: ['http://example.com'], body: {} }, 'url'],
  [{ body: {} }, 'url'],
  [{ url: 'http://example.com/', body: {}, timeout: '1h' }, 'timeout'],
  [{ url: 'http://example.com/', body: {}, timeout: 0 }, 'timeout'],
  [{ url: 'http://example.com/', body: {}, method: 'GET' }, 'method'],
];

test.each(badInputs)('the input %j is refused, and nothing is stored', async (input, path) => {
  await expect(attempt(input)).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path }] });
  expect(await database.db.collection(collectionNames.jobs).countDocuments()).toBe(0);
});

test.each([301, 302, 307, 308])(
  'a redirect %i to another origin gets neither body nor signature',
  async (status) => {
    const elsewhere = new Receiver();
    await elsewhere.start();
    onTestFinished(() => elsewhere.stop());
    receiver().answer = (response) => response.writeHead(status, { location: elsewhere.url }).end();

    const job = await attempt({ url: receiver().url, body: { a: 1 } }, { secret: 'hush' });

    expect(job.status).toBe('error');
    expect(job.error).toContain('redirected to another origin');
    expect(elsewhere.received).toEqual([]);
  },
);

test('a host with a dot at its end is the same host: it may be redirected to', () => {
  const from = { url: new URL('https://example.com/'), method: 'POST', headers: {}, body: '{}' } as const;
  const to = (location: string) => redirectOf({ status: 307, location, text: '' }, from)?.url.href;

  expect(to('https://example.com./end')).toBe('https://example.com./end');
  expect(() => to('https://example.com.:8443/end')).toThrow('another origin');
  expect(() => to('https://other.com./end')).toThrow('another origin');
});

test('each receiver has its own secret, and the others have the one of all', async () => {
  const other = new Receiver();
  await other.start();
  onTestFinished(() => other.stop());
  const secrets = new Map([[receiver().url, 'its own']]);
  const processor = database.processor();
  await processor.addJobFactory(webhook({ secret: 'of all', secrets, mayConnectTo: anyAddress }));
  await processor.addJob('webhook', { url: `${receiver().url}/a/path?b`, body: {} }, { id: 'a' });
  await processor.addJob('webhook', { url: other.url, body: {} }, { id: 'b' });
  await processor.processJobs();

  const signatures = [receiver(), other].map(({ received }) => received[0]?.headers['webhook-signature']);
  const expected = [receiver(), other].map(({ received: [request] }, index) => {
    const key = ['its own', 'of all'][index] ?? '';
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = request?.headers ?? {};
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.{}`).digest('base64')}`;
  });
  expect(signatures).toEqual(expected);
});
