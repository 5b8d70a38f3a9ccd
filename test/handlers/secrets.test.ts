import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  createEnsureIndexesHandler,
  createHttpHandler,
  createSchedulerHandler,
  createWorkerHandler,
} from '../../handlers/lambda.js';
import type { LogFields } from '../../src/index.js';
import { TcpProxy } from '../chaos/tcp-proxy.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, gatedJob } from '../jobs.js';
import { closeConnectionsAfterwards } from './deployment.js';
import { contextOf, everyMinute, httpEvent } from './events.js';
import { SecretsService } from './secrets-service.js';

const database = useDatabase();
closeConnectionsAfterwards();

const MINUTE_MS = 60_000;
const SECRET_ID = 'remote-processor/test';

let service = new SecretsService();
/** How far the clock of the functions is ahead. */
let aheadMs = 0;
let lines: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
beforeEach(async () => {
  service = new SecretsService();
  await service.start();
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', service.url);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'nobody');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'nothing');
  aheadMs = 0;
  lines = [];
  const { now } = Date;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await service.stop();
});

const note = (message: string, fields?: LogFields) => void lines.push({ message, fields });
const messages = () => lines.map(({ message }) => message);

function options(env = {}, jobs = [echo]) {
  return {
    jobs,
    log: { ...silent, info: note, warn: note, error: note },
    publishMetrics: () => {},
    env: { SECRET_ID, MONGODB_DATABASE: database.name, ...env },
  };
}

function secretOf(members: object): string {
  return JSON.stringify({ MONGODB_URI: database.uri, ...members });
}

function entryOf(key: string): string {
  return `tester:write:${createHash('sha256').update(key).digest('hex')}`;
}

/** Asks an HTTP function for a job that there is not. 404: the key is good. */
async function statusWith(key: string, handler: ReturnType<typeof createHttpHandler>): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  const answer = await handler(httpEvent('GET', '/v1/jobs/none', { headers }), contextOf(MINUTE_MS));
  return answer.statusCode;
}

test('every function gets what it needs from the secret', async () => {
  service.secret = secretOf({ API_KEYS: entryOf('the-key'), WEBHOOK_SECRET: '' });

  const { env, log } = options();
  expect(await createEnsureIndexesHandler({ env, log })({}, contextOf(MINUTE_MS))).toMatchObject({
    database: database.name,
  });
  expect(await createSchedulerHandler(options())(everyMinute, contextOf(MINUTE_MS))).toEqual({ made: 0 });
  expect(await createWorkerHandler(options())(everyMinute, contextOf(MINUTE_MS))).toMatchObject({
    claimed: 0,
  });
  expect(await statusWith('the-key', createHttpHandler(options()))).toBe(404);
  expect(service.asked).toEqual([SECRET_ID, SECRET_ID, SECRET_ID, SECRET_ID]);
});

test('the secret is read once, and after 5 minutes again', async () => {
  service.secret = secretOf({});
  const handler = createWorkerHandler(options());
  const invoke = () => handler(everyMinute, contextOf(MINUTE_MS));

  await Promise.all([invoke(), invoke()]);
  aheadMs = 5 * MINUTE_MS - 10_000;
  await invoke();
  expect(service.asked).toHaveLength(1);

  aheadMs = 5 * MINUTE_MS;
  await invoke();
  await invoke();
  expect(service.asked).toHaveLength(2);
});

test('a key that was rotated opens 5 minutes later, and the old one nothing any more', async () => {
  service.secret = secretOf({ API_KEYS: entryOf('old') });
  const handler = createHttpHandler(options());
  expect(await statusWith('old', handler)).toBe(404);

  service.secret = secretOf({ API_KEYS: entryOf('new') });
  expect(await statusWith('old', handler)).toBe(404);
  aheadMs = 5 * MINUTE_MS;

  expect(await statusWith('new', handler)).toBe(404);
  expect(await statusWith('old', handler)).toBe(401);
  expect(lines).toContainEqual({
    message: 'The secret has changed: it is used from now on',
    fields: expect.objectContaining({ secret: SECRET_ID, changed: ['API_KEYS'] }),
  });
});

test('the next invocation uses a database uri that was rotated, while a job goes on by the old one, which is closed then', async () => {
  const { hostname, port } = new URL(database.uri);
  const proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
  const { factory, gate } = gatedJob();
  const processor = database.processor();
  await processor.addJobFactories([factory]);
  const id = await processor.addJob(factory, 'by the old one');
  service.secret = secretOf({ MONGODB_URI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` });
  const handler = createWorkerHandler({ ...options(), jobs: [factory] });
  const running = handler(everyMinute, contextOf(MINUTE_MS));
  await eventually(() => expect(gate.arrived).toBe(1));

  service.secret = secretOf({});
  aheadMs = 5 * MINUTE_MS;
  expect(await handler(everyMinute, contextOf(MINUTE_MS))).toMatchObject({ claimed: 0 });
  gate.open();

  expect(await running).toMatchObject({ claimed: 1, completed: 1 });
  expect(await processor.getJobStatus(id)).toBe('completed');
  await eventually(() => expect(proxy.connections).toBe(0));
  await proxy.close();
  expect(await handler(everyMinute, contextOf(MINUTE_MS))).toMatchObject({ claimed: 0 });
});

test('when it cannot be read again the settings stay, the log tells it, and half a minute later it is tried again', async () => {
  service.secret = secretOf({ API_KEYS: entryOf('old') });
  const handler = createHttpHandler(options());
  expect(await statusWith('old', handler)).toBe(404);

  service.secret = undefined;
  service.refusal = 'InternalServiceError';
  aheadMs = 5 * MINUTE_MS;
  expect(await statusWith('old', handler)).toBe(404);
  const asked = service.asked.length;
  expect(await statusWith('old', handler)).toBe(404);
  expect(service.asked).toHaveLength(asked);
  expect(lines).toContainEqual({
    message: 'The secret could not be read again: the settings stay as they were',
    fields: expect.objectContaining({
      secret: SECRET_ID,
      error: expect.stringContaining('InternalServiceError'),
    }),
  });

  service.secret = secretOf({ API_KEYS: entryOf('new') });
  aheadMs += 30_000;
  expect(await statusWith('new', handler)).toBe(404);
});

test('a secret that was rotated to something wrong changes nothing', async () => {
  service.secret = secretOf({ API_KEYS: entryOf('old') });
  const handler = createHttpHandler(options());
  expect(await statusWith('old', handler)).toBe(404);

  service.secret = secretOf({ API_KEYS: 'hush-hush' });
  aheadMs = 5 * MINUTE_MS;

  expect(await statusWith('old', handler)).toBe(404);
  const told = lines.find(({ message }) => message.startsWith('The secret could not be read again'));
  expect(told?.fields?.error).toMatch(/the secret 'remote-processor\/test' is invalid: API_KEYS: entry 1/);
  expect(JSON.stringify(lines)).not.toContain('hush-hush');
});

test.each([
  ['that there is not', undefined, /'remote-processor\/test' could not be read\. ResourceNotFoundException/],
  ['that is no JSON', 'MONGODB_URI=hush-hush', /'remote-processor\/test' is no JSON object/],
  ['that is a list', '["hush-hush"]', /'remote-processor\/test' is no JSON object/],
  [
    'with wrong members',
    JSON.stringify({ MONGODB_URI: 'hush-hush', WEBHOOK_SECRET: 12345678, WEBHOOK_SECRETS: null }),
    /'remote-processor\/test' is invalid: MONGODB_URI: expected .*MAX_THREADS: expected .*WEBHOOK_SECRET: .*WEBHOOK_SECRETS: /s,
  ],
  [
    'without the uri',
    '{"API_KEYS":"hush-hush"}',
    /'remote-processor\/test' is invalid: MONGODB_URI: is missing.*MAX_THREADS/s,
  ],
])(
  'a secret %s is told by its name, with all that is wrong and nothing of it',
  async (_, secret, expected) => {
    service.secret = secret;
    const handler = createWorkerHandler(options({ MAX_THREADS: 'many' }));
    const error = await handler(everyMinute, contextOf(MINUTE_MS)).catch(String);
    expect(error).toMatch(expected);
    expect(`${error}${JSON.stringify(lines)}`).not.toMatch(/hush|12345678/);
  },
);

test('a function that may not read the secret says so, and reads it when it may', async () => {
  service.refusal = 'AccessDeniedException';
  const handler = createHttpHandler(options());
  expect(await statusWith('the-key', handler)).toBe(500);
  expect(JSON.stringify(lines)).toMatch(
    /The secret 'remote-processor\/test' could not be read. AccessDenied/,
  );

  service.secret = secretOf({ API_KEYS: entryOf('the-key') });
  expect(await statusWith('the-key', handler)).toBe(404);
});

test('what is wrong for another function does not stop this one, and what nobody knows is told', async () => {
  service.secret = secretOf({ API_KEYS: 'nonsense', API_KEY: 'a slip' });
  const handler = createWorkerHandler(options());
  expect(await handler(everyMinute, contextOf(MINUTE_MS))).toMatchObject({ claimed: 0 });
  expect(lines).toContainEqual({
    message: 'The secret has members that are not known here',
    fields: expect.objectContaining({ secret: SECRET_ID, unknown: ['API_KEY'] }),
  });
});

test('without the name of a secret nothing is asked', async () => {
  const handler = createWorkerHandler(options({ SECRET_ID: ' ', MONGODB_URI: database.uri }));
  expect(await handler(everyMinute, contextOf(MINUTE_MS))).toMatchObject({ claimed: 0 });
  expect(service.asked).toEqual([]);
  expect(messages()).not.toContain('The secret has members that are not known here');
});
