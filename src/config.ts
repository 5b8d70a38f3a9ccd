import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Role, roles } from './access/role.js';
import { durationSchema, timerDurationSchema } from './duration.js';
import { logLevels } from './log-level.js';
import { isConnectionString } from './mongo/client.js';
import { collectionPrefixSchema, DEFAULT_COLLECTION_PREFIX } from './mongo/collection-prefix.js';
import { validateNow } from './validate.js';

/** One entry of API_KEYS. The key itself is known to its holder only. */
export interface ApiKey {
  /** Names the key in logs, so that one can be told from another and rotated. */
  readonly id: string;
  readonly role: Role;
  /** SHA-256 of the key: 32 bytes. */
  readonly digest: Buffer;
}

/** What an id may be. */
export const apiKeyIdSchema = z
  .string()
  .regex(/^[\w.-]{1,100}$/, 'expected 1 to 100 letters, digits, or any of _ . -');

const httpAccesses = ['keys', 'iam'] as const;

const metricsSettings = ['alarms', 'all'] as const;

/** Which figures of the functions become metrics: those that the alarms need, or all. */
export type MetricsSetting = (typeof metricsSettings)[number];

/** On Lambda, where jobs mostly wait for other services. Locally the number of CPUs decides. */
const DEPLOYED_MAX_THREADS = 10;

/** Ten times as many jobs as one worker runs: a backlog is drained in parallel, and other functions are left room. */
const DEPLOYED_MAX_WORKERS = 10;

/** Wake-ups meet the moments within a minute for less than a worker that waits. */
const DEPLOYED_LINGER_MS = 0;

/** As many as the digest has bytes that they are used with: RFC 2104, section 3, advises against less. */
const MIN_SESSION_SECRET = 32;

/** Standard Webhooks asks for 24 bytes or more. */
const MIN_WEBHOOK_SECRET = 24;

/** A secret that was chosen at random has more, even in hexadecimal: one that has fewer is a word, or one key held down. */
const MIN_DIFFERENT_CHARACTERS = 8;

const webhookSecretExpected = `at least ${MIN_WEBHOOK_SECRET} characters, of which ${MIN_DIFFERENT_CHARACTERS} are different; or whsec_ and the base64 of at least ${MIN_WEBHOOK_SECRET} bytes`;

/** What a shell gives to `sha256sum` in the place of a variable that is not set: keys that everybody has. */
const noKeys = ['', '\n', '\r\n'].map((text) => createHash('sha256').update(text).digest());

const mongodbUri = z
  .string({
    error: ({ input }) => `${input === undefined ? 'is missing: ' : ''}expected a MongoDB connection string`,
  })
  .pipe(
    secret('a connection string such as mongodb://host:27017/?replicaSet=rs0', (text) =>
      isConnectionString(text) ? text : undefined,
    ),
  );

/** The variables that a secret of AWS Secrets Manager may hold in the place of the environment: see SECRET_ID. */
export const secretNames = [
  'MONGODB_URI',
  'API_KEYS',
  'SESSION_SECRETS',
  'WEBHOOK_SECRET',
  'WEBHOOK_SECRETS',
] as const;

export type SecretName = (typeof secretNames)[number];

/** Every variable this project reads, by its name. A program with settings of its own extends it. */
export const configSchema = z.object({
  /** Where the jobs are. */
  MONGODB_URI: mongodbUri.optional(),
  /** Name or ARN of a secret of AWS Secrets Manager, a JSON object: a function takes from it the variables that are secrets. */
  SECRET_ID: z.string().trim().optional(),
  MONGODB_DATABASE: setting('1 to 63 characters other than / \\ . " $ * < > : | ? and space', (text) =>
    /^[^/\\. "$*<>:|?\0]{1,63}$/.test(text) ? text : undefined,
  ).default('remote-processor'),
  /** What the names of our collections in it begin with. Empty: the names of versions before there was a prefix. */
  COLLECTION_PREFIX: collectionPrefixSchema.default(DEFAULT_COLLECTION_PREFIX),
  /** How many jobs a worker runs at a time. */
  MAX_THREADS: setting('a whole number from 1 to 1000', upTo1000).optional(),
  /** How many workers may run at a time to drain a backlog. */
  MAX_WORKERS: setting('a whole number from 1 to 1000', upTo1000).optional(),
  /** How long before its deadline a worker stops. When not set: 10 s, or a tenth of its time, the smaller. */
  DEADLINE_MARGIN: setting('a duration such as 10s', parsedBy(durationSchema)).optional(),
  /** How long a worker with nothing to do waits for a job that is known to be due by then; not at all when not set. */
  LINGER: setting('a duration such as 1m, at most 24 days', parsedBy(timerDurationSchema)).optional(),
  /** The queues a worker takes jobs from. All when not set. */
  QUEUES: setting('names of queues, separated by commas', nonEmptyList).optional(),
  /** Who may use the HTTP API: `id:role:sha256` entries. Nobody when not set. */
  API_KEYS: z.string().transform(parseApiKeys).default([]),
  /** How callers of the HTTP API are told apart: by their keys, or by API Gateway, by the signatures of AWS. */
  HTTP_ACCESS: setting(`one of ${httpAccesses.join(', ')}`, (text) =>
    httpAccesses.find((access) => access === text),
  ).default('keys'),
  /** The names by which the HTTP API may be called, beside loopback's. Any when not set; locally none. */
  ALLOWED_HOSTS: setting(
    'names of hosts without ports, separated by commas, IPv6 addresses in brackets',
    hostNames,
  ).optional(),
  /** The origins of other sites whose pages may call the HTTP API, with a key. None when not set. */
  CORS_ORIGINS: setting(
    'different origins such as https://app.example.com, without a path, separated by commas; or * alone, for all',
    corsOrigins,
  ).optional(),
  /** Sign the sessions of the dashboard: the first signs, all verify. Without it the dashboard is off. */
  SESSION_SECRETS: secret(
    `different secrets, separated by commas, each of at least ${MIN_SESSION_SECRET} characters, of which ${MIN_DIFFERENT_CHARACTERS} are different`,
    sessionSecrets,
  ).optional(),
  /** Whether jobs are to have an index for lists by queue. As it is in the database when not set. */
  INDEX_BY_QUEUE: setting('true or false', trueOrFalse).optional(),
  LOG_LEVEL: setting(`one of ${logLevels.join(', ')}`, (text) =>
    logLevels.find((level) => level === text),
  ).default('info'),
  /** Which figures of the functions become metrics of CloudWatch. */
  METRICS: setting(`one of ${metricsSettings.join(', ')}`, (text) =>
    metricsSettings.find((which) => which === text),
  ).default('alarms'),
  /** The Lambda function to invoke when a job was added. Without it jobs wait for the worker's next minute. */
  WORKER_FUNCTION_NAME: setting('the name or ARN of a Lambda function', (text) =>
    /^[\w:-]{1,170}$/.test(text) ? text : undefined,
  ).optional(),
  /** The SQS queue by which workers are started, now or at a moment. Without it the function is invoked, and only now. */
  WAKE_UP_QUEUE_URL: setting('the URL of an SQS queue', httpUrl).optional(),
  /** Another Lambda service than AWS's own: for running on one machine. */
  LAMBDA_ENDPOINT: setting('an http or https URL', httpUrl).optional(),
  /** Signs what the job `webhook` sends to receivers that have no secret of their own. */
  WEBHOOK_SECRET: secret(webhookSecretExpected, (text) =>
    isWebhookSecret(text) ? text : undefined,
  ).optional(),
  /** Sign what it sends to receivers of these origins: whoever knows one secret can pose as the sender to nobody else. */
  WEBHOOK_SECRETS: secret(
    `entries such as https://hooks.example.com=secret, separated by commas or spaces, each origin once; each secret with ${webhookSecretExpected}`,
    webhookSecrets,
  ).optional(),
  /** Lets the job `webhook` send to loopback and private addresses. */
  WEBHOOK_ALLOW_PRIVATE_ADDRESSES: setting('true or false', trueOrFalse).default(false),
});

/** A function has no embedded database to fall back on. */
const functionConfigSchema = configSchema.extend({
  MONGODB_URI: mongodbUri,
  MAX_THREADS: configSchema.shape.MAX_THREADS.default(DEPLOYED_MAX_THREADS),
  MAX_WORKERS: configSchema.shape.MAX_WORKERS.default(DEPLOYED_MAX_WORKERS),
  LINGER: configSchema.shape.LINGER.default(DEPLOYED_LINGER_MS),
});

/** The settings, under the names of their variables. What has no default is undefined when it is not set. */
export type Config = z.output<typeof configSchema>;

/** The settings of a deployed function: MONGODB_URI is required, and MAX_THREADS has a default. */
export type FunctionConfig = z.output<typeof functionConfigSchema>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** With what stands there for a text and is none: each is an issue of its own. */
type Given = Readonly<Record<string, unknown>>;

/**
 * Reads the settings from environment variables; one that is empty counts as not set, except COLLECTION_PREFIX.
 *
 * @throws ValidationError that lists every bad variable and what was expected, never the value of a secret
 */
export function readConfig(env: Environment): Config {
  return readEnvironment(configSchema, env);
}

/**
 * As `readConfig`, for deployed functions.
 *
 * @param subject what the error says is wrong, where some come from elsewhere
 * @throws ValidationError, also when MONGODB_URI is missing
 */
export function readFunctionConfig(env: Given, subject?: string): FunctionConfig {
  return readEnvironment(functionConfigSchema, env, subject);
}

/** As `readConfig`, by another schema. @throws ValidationError */
export function readEnvironment<Schema extends z.ZodType>(
  schema: Schema,
  env: Given,
  subject = 'The environment',
): z.output<Schema> {
  return validateNow(schema, withoutEmpty(env), subject);
}

/** A template sets a variable that has no value to the empty string. */
function withoutEmpty(env: Given): Given {
  const isSet = (value: unknown) => (typeof value === 'string' ? value.trim() !== '' : value !== undefined);
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name === MEANT_WHEN_EMPTY || isSet(value)),
  );
}

const MEANT_WHEN_EMPTY: keyof Config = 'COLLECTION_PREFIX';

/** A variable whose text `parse` understands; the error tells what was expected, and what came. */
function setting<Value>(expected: string, parse: (text: string) => Value | undefined) {
  return variable(parse, (text) => `expected ${expected}, not ${JSON.stringify(text)}`);
}

/** As `setting`, but what came is not told. */
function secret<Value>(expected: string, parse: (text: string) => Value | undefined) {
  return variable(parse, () => `expected ${expected} (the value is a secret and not shown)`);
}

function variable<Value>(parse: (text: string) => Value | undefined, explain: (text: string) => string) {
  return z.string().transform((text, context) => {
    const value = parse(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: explain(text) });
    return z.NEVER;
  });
}

function upTo1000(text: string): number | undefined {
  return /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1000 ? Number(text) : undefined;
}

function nonEmptyList(text: string): string[] | undefined {
  const names = text.split(',').map((name) => name.trim());
  return names.every((name) => name !== '') ? names : undefined;
}

function hostNames(text: string): string[] | undefined {
  const names = nonEmptyList(text);
  return names?.every((name) => /^([\w.-]+|\[[\da-f:.]+\])$/i.test(name)) ? names : undefined;
}

/** As browsers tell them in the header Origin, which holds no pattern: a `*` in one would never meet any. */
function corsOrigins(text: string): string[] | undefined {
  if (text === '*') return [text];
  const texts = nonEmptyList(text);
  if (!texts?.every((one) => isOrigin(one) && !one.includes('*'))) return undefined;
  const origins = texts.map((one) => new URL(one).origin);
  return new Set(origins).size === origins.length ? origins : undefined;
}

function sessionSecrets(text: string): string[] | undefined {
  const secrets = nonEmptyList(text);
  if (!secrets?.every((one) => isStrong(one, MIN_SESSION_SECRET))) return undefined;
  return new Set(secrets).size === secrets.length ? secrets : undefined;
}

/** Text, or bytes as the libraries of Standard Webhooks write them. */
function isWebhookSecret(text: string): boolean {
  const [, base64] = /^whsec_(.*)$/.exec(text) ?? [];
  if (base64 === undefined) return isStrong(text, MIN_WEBHOOK_SECRET);
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && isStrong(base64, 0);
  return isBase64 && Buffer.from(base64, 'base64').length >= MIN_WEBHOOK_SECRET;
}

/** By the origins that they are for. */
function webhookSecrets(text: string): ReadonlyMap<string, string> | undefined {
  const secrets = new Map<string, string>();
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [, origin = '', own = ''] = /^([^=]+)=(.+)$/.exec(entry) ?? [];
    if (!isOrigin(origin) || !isWebhookSecret(own) || secrets.has(new URL(origin).origin)) return undefined;
    secrets.set(new URL(origin).origin, own);
  }
  return secrets;
}

/** An http or https URL without path, query, user name or password. */
function isOrigin(text: string): boolean {
  if (httpUrl(text) === undefined) return false;
  const { origin, href } = new URL(text);
  return href === `${origin}/`;
}

/** Whether a secret is as long as it has to be, and not the same few characters over and over. */
export function isStrong(text: string, minLength: number): boolean {
  return text.length >= minLength && new Set(text).size >= MIN_DIFFERENT_CHARACTERS;
}

function parsedBy<Value>(schema: z.ZodType<Value>): (text: string) => Value | undefined {
  return (text) => schema.safeParse(text).data;
}

function httpUrl(text: string): string | undefined {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined;
}

function trueOrFalse(text: string): boolean | undefined {
  if (/^(true|1)$/i.test(text)) return true;
  return /^(false|0)$/i.test(text) ? false : undefined;
}

/** A bad entry is named by its place alone: somebody may have put the key itself there. */
function parseApiKeys(text: string, context: z.RefinementCtx): ApiKey[] {
  const keys = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parseApiKey);
  for (const [index, key] of keys.entries()) {
    const problem = problemOf(key, keys.slice(0, index));
    if (problem) context.addIssue({ code: 'custom', message: `entry ${index + 1}: ${problem}` });
  }
  return keys.filter((key) => key !== undefined);
}

/** What is wrong with an entry, which stands after these. */
function problemOf(key: ApiKey | undefined, before: readonly (ApiKey | undefined)[]): string | undefined {
  if (key === undefined)
    return `expected id:role:sha256, with the role one of ${roles.join(', ')} and the SHA-256 of the key as 64 hexadecimal digits (not shown)`;
  if (noKeys.some((digest) => digest.equals(key.digest)))
    return 'expected the SHA-256 of a key, not that of an empty text, which is what comes out when the variable with the key is not set. `remote-processor make-key` makes a key with its entry';
  const sameId = before.findIndex((other) => other?.id === key.id);
  if (sameId >= 0) return `has the same id as entry ${sameId + 1}`;
  const sameKey = before.findIndex((other) => other?.digest.equals(key.digest));
  if (sameKey >= 0) return `has the same key as entry ${sameKey + 1}: each needs one of its own`;
  return undefined;
}

function parseApiKey(entry: string): ApiKey | undefined {
  const [, id, roleName, digest] = /^([^:]+):([a-z]+):([0-9a-f]{64})$/i.exec(entry) ?? [];
  const role = roles.find((known) => known === roleName);
  if (digest === undefined || role === undefined) return undefined;
  const { data: validId } = apiKeyIdSchema.safeParse(id);
  return validId === undefined ? undefined : { id: validId, role, digest: Buffer.from(digest, 'hex') };
}
