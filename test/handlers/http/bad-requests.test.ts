import { expect, test } from 'vitest';
import { expectProblem, useApi } from './api.js';

const api = useApi();

/** Deeper than MongoDB stores. */
const deep = `${'['.repeat(200)}1${']'.repeat(200)}`;

const badBodies: [name: string, body: string][] = [
  ['nothing', ' '],
  ['no JSON', '{"name":'],
  ['single quotes', "{'name':'echo'}"],
  ['a trailing comma', '{"name":"echo",}'],
  ['two values', '{"name":"echo"}{}'],
  ['a comment', '{"name":"echo"/* */}'],
  ['NaN', '{"name":"echo","input":{"a":NaN}}'],
  ['a number beyond a double', '{"name":"echo","input":{"a":1e999}}'],
  ['a list', '[{"name":"echo","input":{}}]'],
  ['a text', '"echo"'],
  ['a number', '1'],
  ['null', 'null'],
  ['100,000 levels', `{"name":"echo","input":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
];

test.each(badBodies)('a body that is %s is a bad request, and nothing is stored', async (_, body) => {
  await expectProblem(await api.call('/v1/jobs', { body }), 400, 'invalid_body');
  expect(await api.storedJobs()).toBe(0);
});

test('a body that is not UTF-8 is a bad request, and nothing is stored', async () => {
  const response = await fetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { authorization: 'Bearer key-of-write', 'content-type': 'application/json' },
    body: Buffer.from('{"name":"echo","input":{"a":"\xff"}}', 'latin1'),
  });

  await expectProblem(response, 400, 'invalid_body');
  expect(await api.storedJobs()).toBe(0);
});

const withOptions = (options: unknown) => JSON.stringify({ name: 'echo', input: {}, options });
const withInput = (input: string) => `{"name":"echo","input":${input}}`;

const refused: [name: string, body: string, paths: string[]][] = [
  ['no name', '{"input":{}}', ['name']],
  ['a name that is a number', '{"name":1}', ['name']],
  ['a name that is an operator', '{"name":{"$ne":null},"input":{}}', ['name']],
  ['a name that is a list', '{"name":["echo"],"input":{}}', ['name']],
  ['an unknown member', '{"name":"echo","input":{},"priority":1}', ['priority']],
  ['several unknown members', '{"name":"echo","input":{},"a":1,"b":2}', ['a', 'b']],
  ['__proto__ as a member', '{"name":"echo","input":{},"__proto__":{"admin":true}}', ['__proto__']],
  ['constructor as a member', '{"name":"echo","input":{},"constructor":1}', ['constructor']],
  ['options that are a list', withOptions([]), ['options']],
  ['options that are null', withOptions(null), ['options']],
  ['an unknown option', withOptions({ nope: 1 }), ['options.nope']],
  ['a session as an option', withOptions({ session: {} }), ['options.session']],
  ['__proto__ as an option', '{"name":"echo","input":{},"options":{"__proto__":1}}', ['options.__proto__']],
  ['an id that is a number', withOptions({ id: 1 }), ['options.id']],
  ['an id that is an operator', withOptions({ id: { $gt: '' } }), ['options.id']],
  ['an empty id', withOptions({ id: '' }), ['options.id']],
  ['a long id', withOptions({ id: 'x'.repeat(501) }), ['options.id']],
  ['an id with a NUL', withOptions({ id: 'a\0b' }), ['options.id']],
  ['an id with half a character', withOptions({ id: '\ud800' }), ['options.id']],
  ['an id that has no address', withOptions({ id: '..' }), ['options.id']],
  ['a priority that is too high', withOptions({ priority: 10 }), ['options.priority']],
  ['a priority below 0', withOptions({ priority: -1 }), ['options.priority']],
  ['a priority that is not whole', withOptions({ priority: 1.5 }), ['options.priority']],
  ['a priority that is a text', withOptions({ priority: '1' }), ['options.priority']],
  ['an empty queue', withOptions({ queue: '' }), ['options.queue']],
  ['a queue that is an operator', withOptions({ queue: { $exists: true } }), ['options.queue']],
  ['no attempts', withOptions({ maxRetries: 0 }), ['options.maxRetries']],
  ['too many attempts', withOptions({ maxRetries: 1001 }), ['options.maxRetries']],
  ['a negative delay', withOptions({ delay: -1 }), ['options.delay']],
  ['a delay without unit', withOptions({ delay: '10' }), ['options.delay']],
  ['a delay that is nothing', withOptions({ delay: 'soon' }), ['options.delay']],
  ['a delay that is a list', withOptions({ delay: [1] }), ['options.delay']],
  ['a retry delay that is a boolean', withOptions({ retryDelay: true }), ['options.retryDelay']],
  ['a moment without offset', withOptions({ runAt: '2026-01-31T09:05:06' }), ['options.runAt']],
  ['a moment that is a number', withOptions({ runAt: 0 }), ['options.runAt']],
  ['a moment that does not exist', withOptions({ runAt: '2026-02-30T00:00:00Z' }), ['options.runAt']],
  ['both moment and delay', withOptions({ runAt: '2026-01-31T09:05:06Z', delay: 1 }), ['options']],
  ['two keys', withOptions({ unique: { key: 'k', by: ['n'] } }), ['options.unique.key']],
  ['an unknown mode', withOptions({ unique: { key: 'k', mode: 'extend' } }), ['options.unique.mode']],
  [
    'debounce beside unique',
    withOptions({ unique: { key: 'k' }, debounce: { key: 'k', delay: 5 } }),
    ['options.debounce'],
  ],
  ['a path that the input lacks', withOptions({ unique: { by: ['shop.id'] } }), ['input.shop.id']],
  ['an empty unique key', withOptions({ uniqueKey: '' }), ['options.uniqueKey']],
  ['many mistakes', withOptions({ id: 1, queue: 2, x: 3 }), ['options.id', 'options.queue', 'options.x']],
  ['no input where one is needed', '{"name":"echo"}', ['input']],
  ['an input that the job refuses', withInput('[]'), ['input']],
  ['an input where none is taken', '{"name":"failing","input":{}}', ['input']],
  ['__proto__ in the input', withInput('{"a":{"__proto__":{"admin":true}}}'), ['input.a.__proto__']],
  ['a key of the driver in the input', withInput('{"_bsontype":"ObjectId"}'), ['input._bsontype']],
  [
    'a database reference in the input',
    withInput('{"a":{"$ref":"jobs","$id":1}}'),
    ['input.a.$ref', 'input.a.$id'],
  ],
  ['a NUL in a key of the input', withInput('{"a\\u0000b":1}'), ['input."a\\u0000b"']],
  ['half a character in the input', withInput('{"a":"\\ud800"}'), ['input.a']],
  ['an input of 200 levels', `{"name":"anything","input":${deep}}`, ['input.0.0.0']],
];

test.each(refused)('%s is refused with its path, and nothing is stored', async (_, body, paths) => {
  const problem = await expectProblem(await api.call('/v1/jobs', { body }), 422, 'validation_failed');

  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
  for (const { message } of problem.issues) expect(message).toMatch(/^(?!Invalid input$)./);
  expect(await api.storedJobs()).toBe(0);
  expect(api.kicks).toBe(0);
});

test.each(['nobody', '', '__proto__', 'constructor', 'toString', '$where', 'x'.repeat(10_000)])(
  'the unknown name %.20s is refused with the names that are known',
  async (name) => {
    const response = await api.call('/v1/jobs', { body: { name, input: {} } });

    const problem = await expectProblem(response, 422, 'unknown_job_name');
    expect(problem.issues).toMatchObject([{ path: 'name' }]);
    expect(problem.detail).toContain('anything, echo, failing');
    expect(await api.storedJobs()).toBe(0);
  },
);

test.each([
  undefined,
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
  'text/json, application/json',
  'application/json; charset=latin1',
])('a body sent as %s is not read', async (type) => {
  const response = await fetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { authorization: 'Bearer key-of-write', ...(type !== undefined && { 'content-type': type }) },
    body: new TextEncoder().encode('{"name":"echo","input":{}}'),
  });

  await expectProblem(response, 415, 'unsupported_media_type');
  expect(await api.storedJobs()).toBe(0);
});

test.each(['application/json; charset=utf-8', 'Application/JSON ; charset="UTF-8"'])(
  'a body sent as %s is read',
  async (type) => {
    const body = { name: 'echo', input: {} };

    const response = await api.call('/v1/jobs', { body, headers: { 'content-type': type } });

    expect(response.status).toBe(202);
  },
);

test.each(['/v1', '/v1/', '/v1/jobs/', '/v1/jobs/x/y', '/v2/jobs', '/health/x', '/%E0%A4%A', '/v1%2fjobs'])(
  'there is nothing at %s',
  async (path) => {
    await expectProblem(await api.call(path), 404, 'route_not_found');
  },
);

test.each([
  ['PUT', '/v1/jobs/x', 'GET, HEAD, PATCH, DELETE'],
  ['PUT', '/v1/jobs', 'POST, GET, HEAD, DELETE'],
  ['GET', '/v1/jobs/x/cancel', 'POST'],
  ['POST', '/health', 'GET, HEAD'],
  ['OPTIONS', '/v1/jobs', 'POST, GET, HEAD, DELETE'],
])('%s is not known at %s', async (method, path, allowed) => {
  const response = await api.call(path, { method });

  expect(response.headers.get('allow')).toBe(allowed);
  await expectProblem(response, 405, 'method_not_allowed');
});

test('what is wrong with a request is told of its first 100 mistakes, in little', async () => {
  const options = Object.fromEntries(Array.from({ length: 90_000 }, (_, n) => [`o${n}`, 1]));
  const long = { ['x'.repeat(500_000)]: 1, [`${'€'.repeat(100_000)}`]: 1 };

  for (const given of [options, long]) {
    const response = await api.call('/v1/jobs', { body: withOptions(given) });
    const text = await response.clone().text();
    const problem = await expectProblem(response, 422, 'validation_failed');

    expect(problem.issues.length).toBe(Math.min(100, Object.keys(given).length));
    expect(Buffer.byteLength(problem.detail)).toBeLessThanOrEqual(2048);
    expect(Buffer.byteLength(text)).toBeLessThan(30_000);
  }
});

test.each([
  ['jobs', (many: string) => `{"jobs":${many}}`, 'jobs'],
  ['input', (many: string) => `{"jobs":[{"name":"echo","input":${many}}]}`, 'jobs.0.input'],
  ['options', (many: string) => `{"jobs":[{"name":"echo","input":{},"options":${many}}]}`, 'jobs.0.options'],
])('a megabyte of empty lists as %s is one mistake', async (_, bodyOf, path) => {
  const many = `[${Array(349_000).fill('[]').join(',')}]`;

  const response = await api.call('/v1/jobs/batch', { method: 'POST', body: bodyOf(many) });

  const problem = await expectProblem(response, 422, 'validation_failed');
  expect(problem.issues).toEqual([{ path, message: expect.any(String) }]);
});

test('a name that nobody has is told in part when it is long', async () => {
  const response = await api.call('/v1/jobs', { body: { name: 'x'.repeat(1_000_000), input: {} } });

  expect((await expectProblem(response, 422, 'unknown_job_name')).detail.length).toBeLessThanOrEqual(2048);
});

test('what is wrong with the members of a batch is told of the first 100', async () => {
  const jobs = Array.from({ length: 1000 }, () => ({ name: 'echo', input: {}, options: { a: 1, b: 2 } }));
  const response = await api.call('/v1/jobs/batch', { body: { jobs } });

  expect((await expectProblem(response, 422, 'validation_failed')).issues).toHaveLength(100);
});
