import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Role, roles } from './access/role.js';
import { type AlertFormat, alertFormats, hasNoCredentials } from './alert-format.js';
import { durationSchema, timerDurationSchema } from './duration.js';
import { logLevels } from './log-level.js';
import { isConnectionString } from './mongo/client.js';
import { collectionPrefixSchema, DEFAULT_COLLECTION_PREFIX } from './mongo/collection-prefix.js';
import { validateNow } from './validate.js';

/** An entry of API_KEYS. It holds a digest, since only the holder knows the key itself. */
export interface ApiKey {
  /** Name of the key in logs, which distinguishes the keys during a rotation. */
  readonly id: string;
  readonly role: Role;
  /** SHA-256 of the key: 32 bytes. */
  readonly digest: Buffer;
}

/** Valid ids of keys. */
export const apiKeyIdSchema = z
  .string()
  .regex(/^[\w.-]{1,100}$/, 'expected 1 to 100 letters, digits, or any of _ . -');

const httpAccesses = ['keys', 'iam'] as const;

const metricsSettings = ['alarms', 'all'] as const;

/** Figures of the functions that become metrics: all, or only those that alarms need. */
export type MetricsSetting = (typeof metricsSettings)[number];

/** Default on Lambda, where jobs mostly wait for other services. Locally the default is the number of CPUs. */
const DEPLOYED_MAX_THREADS = 10;

/** Default on Lambda. It drains a backlog in parallel, and leaves capacity for other functions. */
const DEPLOYED_MAX_WORKERS = 10;

/**
 * Default on Lambda: do not wait. A wake-up message starts a worker within the minute, for less than a waiting worker costs.
 */
const DEPLOYED_LINGER_MS = 0;

/** Minimum length. RFC 2104, section 3, advises against keys shorter than the digest, which has 32 bytes. */
const MIN_SESSION_SECRET = 32;

/** Standard Webhooks asks for 24 bytes or more. */
const MIN_WEBHOOK_SECRET = 24;

/**
 * Minimum number of different characters. Any random secret has more, even in hexadecimal. A word or one repeated key has
 * fewer.
 */
const MIN_DIFFERENT_CHARACTERS = 8;

const webhookSecretExpected = `at least ${MIN_WEBHOOK_SECRET} characters, of which ${MIN_DIFFERENT_CHARACTERS} are different; or whsec_ and the base64 of at least ${MIN_WEBHOOK_SECRET} bytes`;

/** Digests of empty keys. A shell computes one if the variable with the key is not set. Anyone could send such a key. */
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

/** A TCP port. 0 means any free one. */
export const portSetting = setting('a port from 0 to 65535', (text) =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined,
);

/** The variables that a secret in AWS Secrets Manager may override. See SECRET_ID. */
export const secretNames = [
  'MONGODB_URI',
  'API_KEYS',
  'SESSION_SECRETS',
  'CALLBACK_SECRETS',
  'WEBHOOK_SECRET',
  'WEBHOOK_SECRETS',
  'ALERT_WEBHOOK_URL',
  'ALERT_WEBHOOK_SECRET',
] as const;

export type SecretName = (typeof secretNames)[number];

/** All variables that this project reads. A program with its own settings extends the schema. */
export const configSchema = z.object({
  /** Connection string of the database with the jobs. */
  MONGODB_URI: mongodbUri.optional(),
  /** Name or ARN of a secret of AWS Secrets Manager: a JSON object from which a function takes the secret variables. */
  SECRET_ID: z.string().trim().optional(),
  MONGODB_DATABASE: setting('1 to 63 characters other than / \\ . " $ * < > : | ? and space', (text) =>
    /^[^/\\. "$*<>:|?\0]{1,63}$/.test(text) ? text : undefined,
  ).default('remote-processor'),
  /** Prefix of our collections' names. If empty, the names are those of versions without prefixes. */
  COLLECTION_PREFIX: collectionPrefixSchema.default(DEFAULT_COLLECTION_PREFIX),
  /** How many jobs a worker runs at a time. */
  MAX_THREADS: setting('a whole number from 1 to 1000', upTo1000).optional(),
  /** How many workers may run at a time to drain a backlog. */
  MAX_WORKERS: setting('a whole number from 1 to 1000', upTo1000).optional(),
  /** How long before its deadline a worker stops. Default: 10 s or a tenth of its time, whichever is smaller. */
  DEADLINE_MARGIN: setting('a duration such as 10s', parsedBy(durationSchema)).optional(),
  /** How long an idle worker waits for a job that becomes due in that time. Default: not at all. */
  LINGER: setting('a duration such as 1m, at most 24 days', parsedBy(timerDurationSchema)).optional(),
  /** Queues that a worker takes jobs from. Default: all. */
  QUEUES: setting('names of queues, separated by commas', nonEmptyList).optional(),
  /** Keys for the HTTP API, as `id:role:sha256` entries. Default: none. */
  API_KEYS: z.string().transform(parseApiKeys).default([]),
  /** How callers of the HTTP API are identified: by their keys, or by API Gateway with AWS signatures. */
  HTTP_ACCESS: setting(`one of ${httpAccesses.join(', ')}`, (text) =>
    httpAccesses.find((access) => access === text),
  ).default('keys'),
  /** Host names of the HTTP API, besides loopback's. Default: any on Lambda, none locally. */
  ALLOWED_HOSTS: setting(
    'names of hosts without ports, separated by commas, IPv6 addresses in brackets',
    hostNames,
  ).optional(),
  /** Origins of other sites whose pages may call the HTTP API with a key. Default: none. */
  CORS_ORIGINS: setting(
    'different origins such as https://app.example.com, without a path, separated by commas; or * alone, for all',
    corsOrigins,
  ).optional(),
  /**
   * Secrets that sign the dashboard's sessions. The first one signs new sessions. A session signed by any of them is accepted.
   * If unset, the dashboard is off.
   */
  SESSION_SECRETS: secret(
    `different secrets, separated by commas, each of at least ${MIN_SESSION_SECRET} characters, of which ${MIN_DIFFERENT_CHARACTERS} are different`,
    sessionSecrets,
  ).optional(),
  /** Address at which the HTTP API is reached from outside. The links that answer callbacks of steps begin with it. */
  CALLBACK_URL: setting('an http or https URL', httpUrl).optional(),
  /**
   * Secrets that sign these links. The first one signs new links. A link signed by any of them is accepted. If unset, there are
   * no callbacks.
   */
  CALLBACK_SECRETS: secret(
    `different secrets, separated by commas, each of at least ${MIN_SESSION_SECRET} characters, of which ${MIN_DIFFERENT_CHARACTERS} are different`,
    sessionSecrets,
  ).optional(),
  /** Whether jobs have an index by queue and time, for lists of one queue's jobs. Default: the index stays as it is. */
  INDEX_BY_QUEUE: setting('true or false', trueOrFalse).optional(),
  LOG_LEVEL: setting(`one of ${logLevels.join(', ')}`, (text) =>
    logLevels.find((level) => level === text),
  ).default('info'),
  /** Figures of the functions that become CloudWatch metrics. */
  METRICS: setting(`one of ${metricsSettings.join(', ')}`, (text) =>
    metricsSettings.find((which) => which === text),
  ).default('alarms'),
  /** Port at which a process that stays up serves its metrics to Prometheus. Default: none. */
  METRICS_PORT: portSetting.optional(),
  /** Address at which it serves them. Default: this machine only. */
  METRICS_HOST: setting('the name or the IP address of a host', (text) =>
    /^[\w.:-]+$/.test(text) ? text : undefined,
  ).default('127.0.0.1'),
  /** Lambda function to invoke when a job was added. If unset, jobs wait for the worker's next scheduled run. */
  WORKER_FUNCTION_NAME: setting('the name or ARN of a Lambda function', (text) =>
    /^[\w:-]{1,170}$/.test(text) ? text : undefined,
  ).optional(),
  /** SQS queue that starts workers now or later. If unset, the function is invoked directly, and only now. */
  WAKE_UP_QUEUE_URL: setting('the URL of an SQS queue', httpUrl).optional(),
  /** Endpoint of a Lambda service other than AWS's own, for running on one machine. */
  LAMBDA_ENDPOINT: setting('an http or https URL', httpUrl).optional(),
  /** Secret that signs requests of the job `webhook` to receivers without their own secret. */
  WEBHOOK_SECRET: secret(webhookSecretExpected, (text) =>
    isWebhookSecret(text) ? text : undefined,
  ).optional(),
  /**
   * Secrets that sign webhook requests, by origin of the receiver. A receiver knows only its own secret, so it cannot
   * impersonate the sender to others.
   */
  WEBHOOK_SECRETS: secret(
    `entries such as https://hooks.example.com=secret, separated by commas or spaces, each origin once; each secret with ${webhookSecretExpected}`,
    webhookSecrets,
  ).optional(),
  /**
   * URL of the webhook that is told when the verdict changes. It is a secret, because the address of a webhook often is.
   * Default: none.
   */
  ALERT_WEBHOOK_URL: secret('an http or https URL without user and password', (text) =>
    hasNoCredentials(text) ? httpUrl(text) : undefined,
  ).optional(),
  /** Secret that signs alerts. If unset, alerts are not signed. */
  ALERT_WEBHOOK_SECRET: secret(webhookSecretExpected, (text) =>
    isWebhookSecret(text) ? text : undefined,
  ).optional(),
  /** Format of alerts. Default: Slack's for an address of Slack, else plain. */
  ALERT_WEBHOOK_FORMAT: setting(`one of ${alertFormats.join(', ')}`, (text) =>
    alertFormats.find((format) => format === text),
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

/** The settings, named after their variables. A setting without a value or default is undefined. */
export type Config = z.output<typeof configSchema>;

/**
 * The settings of a deployed function. MONGODB_URI is required, and MAX_THREADS has a default.
 *
 * @useDeclaredType
 */
export type FunctionConfig = z.output<typeof functionConfigSchema>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** An environment that may contain values other than text, each of which is an issue. */
type Given = Readonly<Record<string, unknown>>;

/**
 * Reads the settings from environment variables. An empty variable counts as not set, except COLLECTION_PREFIX.
 *
 * @throws ValidationError that lists every bad variable and the expected form, but never a secret
 */
export function readConfig(env: Environment): Config {
  return readEnvironment(configSchema, env);
}

/**
 * Reads the settings of a deployed function, like `readConfig`.
 *
 * @param subject names the source in the error. Give it if some settings do not come from the environment
 * @throws ValidationError, also when MONGODB_URI is missing
 */
export function readFunctionConfig(env: Given, subject?: string): FunctionConfig {
  return readEnvironment(functionConfigSchema, env, subject);
}

/** Returns the address and the secrets of links for callbacks, or undefined if either setting is missing. */
export function callbacksOf({ CALLBACK_URL: url, CALLBACK_SECRETS: secrets }: Config) {
  return url !== undefined && secrets ? { url, secrets } : undefined;
}

/** Returns the webhook for changes of the verdict, or undefined if there is none. */
export function alertsOf(config: Config) {
  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret, ALERT_WEBHOOK_FORMAT: format } = config;
  return url === undefined ? undefined : { url, secret, format: format ?? usualFormat(url) };
}

function usualFormat(url: string): AlertFormat {
  return new URL(url).hostname === 'hooks.slack.com' ? 'slack' : 'plain';
}

/** Does what `readConfig` does, for the given schema. @throws ValidationError */
export function readEnvironment<Schema extends z.ZodType>(
  schema: Schema,
  env: Given,
  subject = 'The environment',
): z.output<Schema> {
  return validateNow(schema, withoutEmpty(env), subject);
}

/** Drops empty variables. A template sets a variable without a value to the empty string. */
function withoutEmpty(env: Given): Given {
  const isSet = (value: unknown) => (typeof value === 'string' ? value.trim() !== '' : value !== undefined);
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name === MEANT_WHEN_EMPTY || isSet(value)),
  );
}

const MEANT_WHEN_EMPTY: keyof Config = 'COLLECTION_PREFIX';

/** Returns a schema for a variable whose text `parse` understands. The error shows the expected form and the given value. */
function setting<Value>(expected: string, parse: (text: string) => Value | undefined) {
  return variable(parse, (text) => `expected ${expected}, not ${JSON.stringify(text)}`);
}

/** Returns a schema as `setting` does, but its error does not show the value. */
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

/**
 * Parses origins in the form that browsers send in the header Origin. Refuses patterns with `*`, which would never
 * match.
 */
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

/**
 * Returns whether a text is strong enough as a webhook secret. A text that begins with `whsec_` is base64, as in the Standard
 * Webhooks libraries. Any other is plain text.
 */
function isWebhookSecret(text: string): boolean {
  const [, base64] = /^whsec_(.*)$/.exec(text) ?? [];
  if (base64 === undefined) return isStrong(text, MIN_WEBHOOK_SECRET);
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && isStrong(base64, 0);
  return isBase64 && Buffer.from(base64, 'base64').length >= MIN_WEBHOOK_SECRET;
}

/** Parses entries `origin=secret` into a map by origin. Undefined if an entry is invalid. */
function webhookSecrets(text: string): ReadonlyMap<string, string> | undefined {
  const secrets = new Map<string, string>();
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [, origin = '', own = ''] = /^([^=]+)=(.+)$/.exec(entry) ?? [];
    if (!isOrigin(origin) || !isWebhookSecret(own) || secrets.has(new URL(origin).origin)) return undefined;
    secrets.set(new URL(origin).origin, own);
  }
  return secrets;
}

/** Returns whether a text is an http or https URL without path, query, user name or password. */
function isOrigin(text: string): boolean {
  if (httpUrl(text) === undefined) return false;
  const { origin, href } = new URL(text);
  return href === `${origin}/`;
}

/** Returns whether a secret is long enough and does not just repeat a few characters. */
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

/** Parses entries of API_KEYS. Errors name a bad entry only by its number, because it may contain the key itself. */
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

/** Returns the problem of an entry, or undefined. `before` are the entries before it. */
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
