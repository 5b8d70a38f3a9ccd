import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configSchema, readConfig, readFunctionConfig } from '../src/config.js';
import { ValidationError } from '../src/errors.js';

const uri = 'mongodb://user:pass-word@db.example:27017/?replicaSet=rs0';
const digest = 'ab'.repeat(32);

test('without any variable there are defaults, and nothing is turned on', () => {
  expect(readConfig({})).toEqual({
    MONGODB_DATABASE: 'remote-processor',
    COLLECTION_PREFIX: 'remoteProcessor.',
    API_KEYS: [],
    HTTP_ACCESS: 'keys',
    LOG_LEVEL: 'info',
    METRICS: 'alarms',
    METRICS_HOST: '127.0.0.1',
    WEBHOOK_ALLOW_PRIVATE_ADDRESSES: false,
  });
});

test('a deployed function needs a database, and runs 10 jobs at a time', () => {
  expect(issuesOf(() => readFunctionConfig({}))).toEqual([
    { path: 'MONGODB_URI', message: 'is missing: expected a MongoDB connection string' },
  ]);
  expect(readFunctionConfig({ MONGODB_URI: uri })).toMatchObject({ MONGODB_URI: uri, MAX_THREADS: 10 });
});

test('a worker that is not to wait may be told so without a unit', () => {
  expect(readConfig({ LINGER: '0' })).toMatchObject({ LINGER: 0 });
});

test('an empty prefix of collections is one', () => {
  expect(readConfig({ COLLECTION_PREFIX: '' })).toMatchObject({ COLLECTION_PREFIX: '' });
});

test('every variable is read', () => {
  const config = readConfig({
    MONGODB_URI: uri,
    MONGODB_DATABASE: 'jobs',
    COLLECTION_PREFIX: 'shop_2-a.',
    MAX_THREADS: '25',
    MAX_WORKERS: '4',
    DEADLINE_MARGIN: '3s',
    LINGER: '30s',
    QUEUES: 'mail, reports',
    HTTP_ACCESS: 'iam',
    ALLOWED_HOSTS: 'jobs.example, [::1]',
    CORS_ORIGINS: 'https://app.example.com, HTTP://Localhost:5173, https://a.example:443',
    INDEX_BY_QUEUE: 'true',
    API_KEYS: `one:read:${digest},two:write:${'CD'.repeat(32)}\n three:admin:${'ef'.repeat(32)}`,
    SESSION_SECRETS: `${'12345678'.repeat(4)}, ${'abcdefgh'.repeat(5)}`,
    LOG_LEVEL: 'debug',
    METRICS_PORT: '9464',
    METRICS_HOST: '::',
    WORKER_FUNCTION_NAME: 'arn:aws:lambda:eu-central-1:123456789012:function:jobs-worker',
    LAMBDA_ENDPOINT: 'http://localhost:3002',
    WEBHOOK_SECRET: 'hush-nobody-is-to-hear-it',
    WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true',
    PATH: '/usr/bin',
  });

  const digestFrom = (hex: string) => Buffer.from(hex.repeat(32), 'hex');
  expect(config).toEqual({
    MONGODB_URI: uri,
    MONGODB_DATABASE: 'jobs',
    COLLECTION_PREFIX: 'shop_2-a.',
    MAX_THREADS: 25,
    MAX_WORKERS: 4,
    DEADLINE_MARGIN: 3_000,
    LINGER: 30_000,
    QUEUES: ['mail', 'reports'],
    HTTP_ACCESS: 'iam',
    ALLOWED_HOSTS: ['jobs.example', '[::1]'],
    CORS_ORIGINS: ['https://app.example.com', 'http://localhost:5173', 'https://a.example'],
    INDEX_BY_QUEUE: true,
    API_KEYS: [
      { id: 'one', role: 'read', digest: digestFrom('ab') },
      { id: 'two', role: 'write', digest: digestFrom('cd') },
      { id: 'three', role: 'admin', digest: digestFrom('ef') },
    ],
    SESSION_SECRETS: ['12345678'.repeat(4), 'abcdefgh'.repeat(5)],
    LOG_LEVEL: 'debug',
    METRICS: 'alarms',
    METRICS_PORT: 9464,
    METRICS_HOST: '::',
    WORKER_FUNCTION_NAME: 'arn:aws:lambda:eu-central-1:123456789012:function:jobs-worker',
    LAMBDA_ENDPOINT: 'http://localhost:3002',
    WEBHOOK_SECRET: 'hush-nobody-is-to-hear-it',
    WEBHOOK_ALLOW_PRIVATE_ADDRESSES: true,
  });
});

test('a variable that is empty counts as not set', () => {
  expect(readConfig({ MONGODB_URI: '', API_KEYS: ' ', MAX_THREADS: '' })).toEqual(readConfig({}));
});

test('every bad variable is reported at once', () => {
  const issues = issuesOf(() =>
    readFunctionConfig({
      MAX_THREADS: 'many',
      LOG_LEVEL: 'loud',
      API_KEYS: 'x',
      QUEUES: ',',
      DEADLINE_MARGIN: '10',
    }),
  );

  expect(issues.map(({ path }) => path)).toEqual([
    'MONGODB_URI',
    'MAX_THREADS',
    'DEADLINE_MARGIN',
    'QUEUES',
    'API_KEYS',
    'LOG_LEVEL',
  ]);
});

const bad: [name: string, value: string, expected: string][] = [
  ['METRICS_PORT', '65536', 'expected a port from 0 to 65535'],
  ['METRICS_HOST', 'http://here', 'expected the name or the IP address of a host'],
  ['MONGODB_DATABASE', 'a.b', 'expected 1 to 63 characters other than'],
  ['MONGODB_DATABASE', 'x'.repeat(64), 'expected 1 to 63 characters other than'],
  ['COLLECTION_PREFIX', 'system.', 'expected up to 100 letters, digits, or any of _ . - that begin with'],
  ['COLLECTION_PREFIX', ' ', 'expected up to 100 letters'],
  ['COLLECTION_PREFIX', 'a$b', 'expected up to 100 letters'],
  ['COLLECTION_PREFIX', 'a\0b', 'expected up to 100 letters'],
  ['COLLECTION_PREFIX', 'a\n', 'expected up to 100 letters'],
  ['COLLECTION_PREFIX', '.a', 'expected up to 100 letters'],
  ['COLLECTION_PREFIX', 'a..', 'expected up to 100 letters'],
  ['COLLECTION_PREFIX', 'x'.repeat(101), 'expected up to 100 letters'],
  ['MAX_THREADS', '0', 'expected a whole number from 1 to 1000, not "0"'],
  ['MAX_THREADS', '1001', 'expected a whole number from 1 to 1000'],
  ['MAX_THREADS', '1.5', 'expected a whole number from 1 to 1000'],
  ['MAX_THREADS', '-1', 'expected a whole number from 1 to 1000'],
  ['MAX_WORKERS', '0', 'expected a whole number from 1 to 1000, not "0"'],
  ['LINGER', '25 days', 'expected a duration such as 1m, at most 24 days, not "25 days"'],
  ['MAX_THREADS', '0x10', 'expected a whole number from 1 to 1000'],
  ['QUEUES', 'a,,b', 'expected names of queues, separated by commas, not "a,,b"'],
  ['CORS_ORIGINS', 'app.example.com', 'expected different origins such as https://app.example.com'],
  ['CORS_ORIGINS', 'https://app.example.com/path', 'expected different origins'],
  ['CORS_ORIGINS', 'https://me@app.example.com', 'expected different origins'],
  ['CORS_ORIGINS', 'https://a.example, https://A.example:443', 'expected different origins'],
  ['CORS_ORIGINS', 'https://*.example', 'expected different origins'],
  ['CORS_ORIGINS', '*, https://a.example', 'or * alone'],
  ['CORS_ORIGINS', 'null', 'expected different origins'],
  ['ALLOWED_HOSTS', 'https://jobs.example', 'expected names of hosts without ports, separated by commas'],
  ['ALLOWED_HOSTS', 'jobs.example:443', 'expected names of hosts without ports'],
  ['LOG_LEVEL', 'INFO', 'expected one of debug, info, warn, error, not "INFO"'],
  ['WORKER_FUNCTION_NAME', 'a b', 'expected the name or ARN of a Lambda function'],
  ['LAMBDA_ENDPOINT', 'localhost:3002', 'expected an http or https URL'],
  ['LAMBDA_ENDPOINT', 'file:///etc/passwd', 'expected an http or https URL'],
  ['WEBHOOK_ALLOW_PRIVATE_ADDRESSES', 'yes', 'expected true or false, not "yes"'],
];

test.each(bad)('%s=%s is refused, and told what was expected', (name, value, expected) => {
  expect(issuesOf(() => readConfig({ [name]: value }))).toEqual([
    { path: name, message: expect.stringContaining(expected) },
  ]);
});

test.each([
  'postgres://user:hunter2@host/db',
  'hunter2',
  'mongodb://',
  'mongodb://user:hunter2@host/?replicaSet',
  'mongodb://user:hunter2@host/?hunter2=1',
  'mongodb+srv://user:hunter2@host/?directConnection=true',
])('the connection string %s is refused, and not shown', (text) => {
  const error = errorOf(() => readConfig({ MONGODB_URI: text }));

  expect(error.issues).toMatchObject([{ path: 'MONGODB_URI' }]);
  expect(error.message).toContain('expected a connection string such as mongodb://');
  expect(error.message).not.toContain('hunter2');
});

test.each([
  ['hunter2', 'entry 1: expected id:role:sha256'],
  [`a:owner:${digest}`, 'entry 1: expected id:role:sha256'],
  [`a:Admin:${digest}`, 'entry 1: expected id:role:sha256'],
  [`:read:${digest}`, 'entry 1: expected id:role:sha256'],
  ['a:read:hunter2', 'entry 1: expected id:role:sha256'],
  [`a:read:${digest}0`, 'entry 1: expected id:role:sha256'],
  [`a:read:${digest}:x`, 'entry 1: expected id:role:sha256'],
  [`a:read:${digest} b:hunter2`, 'entry 2: expected id:role:sha256'],
  [`a:read:${digest} a:write:${'cd'.repeat(32)}`, 'entry 2: has the same id as entry 1'],
  [`a:read:${digest} b:write:${digest.toUpperCase()}`, 'entry 2: has the same key as entry 1'],
  [`${'a'.repeat(101)}:read:${digest}`, 'entry 1: expected id:role:sha256'],
  [`a:admin:${sha256('')}`, 'entry 1: expected the SHA-256 of a key, not that of an empty text'],
  [`a:read:${digest} b:admin:${sha256('').toUpperCase()}`, 'entry 2: expected the SHA-256 of a key'],
  [`a:read:${sha256('\n')}`, 'entry 1: expected the SHA-256 of a key'],
])('the API keys %s are refused, and not shown', (text, expected) => {
  const error = errorOf(() => readConfig({ API_KEYS: text }));

  expect(error.issues).toEqual([{ path: 'API_KEYS', message: expect.stringContaining(expected) }]);
  expect(error.message).not.toMatch(/hunter2|abab/);
});

const strong = '12345678'.repeat(4);

test.each([
  'hunter2',
  strong.slice(1),
  `${strong},hunter2`,
  `${strong},`,
  's'.repeat(64),
  'hunter2'.repeat(6),
  `${strong},${strong}`,
])('the session secrets %s are refused, and not shown', (text) => {
  const error = errorOf(() => readConfig({ SESSION_SECRETS: text }));

  expect(error.issues).toEqual([
    { path: 'SESSION_SECRETS', message: expect.stringContaining('at least 32 characters') },
  ]);
  expect(error.message).not.toMatch(/hunter2|sss|1234/);
});

test.each([
  'hunter2',
  'hunter2hunter2hunter2hunter2',
  'whsec_aHVudGVyMg==',
  `whsec_${'A'.repeat(48)}`,
  'whsec_',
])('the webhook secret %s is refused, and not shown', (text) => {
  const error = errorOf(() => readConfig({ WEBHOOK_SECRET: text }));

  expect(error.issues).toEqual([
    { path: 'WEBHOOK_SECRET', message: expect.stringContaining('at least 24 ') },
  ]);
  expect(error.message).not.toMatch(/hunter2|aHVu|AAA/);
});

test('a webhook secret may be bytes, as the libraries of Standard Webhooks write them', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

  expect(readConfig({ WEBHOOK_SECRET: secret }).WEBHOOK_SECRET).toBe(secret);
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function errorOf(read: () => unknown): ValidationError {
  try {
    read();
  } catch (error) {
    if (error instanceof ValidationError) return error;
  }
  throw new Error('Expected a ValidationError.');
}

function issuesOf(read: () => unknown) {
  return errorOf(read).issues;
}

test('receivers of webhooks have secrets of their own, by their origins', () => {
  const [one, other] = [
    '0123456789abcdefghijklmn',
    `whsec_${Buffer.from('0123456789abcdefghijklmn').toString('base64')}`,
  ];
  const text = ` https://hooks.example.com=${one},\nhttp://HOST.example:8080/=${other} `;
  expect(readConfig({ WEBHOOK_SECRETS: text }).WEBHOOK_SECRETS).toEqual(
    new Map([
      ['https://hooks.example.com', one],
      ['http://host.example:8080', other],
    ]),
  );
});

test.each([
  'hooks.example.com=0123456789abcdefghijklmn',
  'https://hooks.example.com',
  'https://hooks.example.com=',
  'https://hooks.example.com=short',
  'https://hooks.example.com/path=0123456789abcdefghijklmn',
  'https://user@hooks.example.com=0123456789abcdefghijklmn',
  'ftp://hooks.example.com=0123456789abcdefghijklmn',
  'https://a.example=0123456789abcdefghijklmn https://A.example:443=0123456789abcdefghijklmn',
])('the secrets of webhooks %s are refused, and not shown', (text) => {
  const error = errorOf(() => readConfig({ WEBHOOK_SECRETS: text }));
  expect(error).toMatchObject({ issues: [{ path: 'WEBHOOK_SECRETS' }] });
  expect(String(error)).not.toContain('0123456789');
});

test('the documentation explains every variable, and every parameter of serverless.yml', () => {
  const pages = ['configuration', 'monitoring'].map((name) => textOf(`docs/${name}.md`)).join();
  const [, defaults = ''] = /^params:\n {2}default:\n(.*?)^ {2}\w/ms.exec(textOf('serverless.yml')) ?? [];
  const parameters = [...defaults.matchAll(/^ {4}(\w+): (?!"\{\{resolve)/gm)].map(([, name = '']) => name);
  const ofThisMachine = ['lambdaEndpoint', 'workFolder'];
  const names = [...Object.keys(configSchema.shape), ...parameters].filter(
    (name) => !ofThisMachine.includes(name),
  );

  expect(names).toContain('secretsAt');
  expect(names.filter((name) => !pages.includes(`\`${name}\``))).toEqual([]);
});

function textOf(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}
