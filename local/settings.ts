import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import * as z from 'zod';
import {
  type ApiKey,
  type Config,
  configSchema,
  type Environment,
  isStrong,
  portSetting,
  readEnvironment,
} from '../src/config.js';
import type { CallbacksOptions } from '../src/step/callbacks.js';
import { digestOf, makeKey } from './api-key.js';

const MIN_API_KEY = 16;

/** The id that logs show for API_KEY, or for the key made for this run. */
const OWN_ID = 'local';

const localSchema = configSchema
  .extend({
    PORT: portSetting.default(3000),
    HOST: z.string().default('127.0.0.1'),
    API_KEY: z
      .string()
      .refine(
        (key) => /^[\x21-\x7e]+$/.test(key) && isStrong(key, MIN_API_KEY),
        `expected at least ${MIN_API_KEY} visible ASCII characters, of which 8 are different (the value is a secret and not shown)`,
      )
      .optional(),
  })
  .superRefine(({ API_KEY: key, API_KEYS: others }, { addIssue }) => {
    const refuse = (name: string, message: string) =>
      addIssue({ code: 'custom', path: [name], message: `${message} (the value is a secret and not shown)` });
    if (others.some(({ id }) => id === OWN_ID))
      refuse('API_KEYS', `expected other ids than '${OWN_ID}', which is that of API_KEY`);
    if (key !== undefined && others.some(({ digest }) => digest.equals(digestOf(key))))
      refuse('API_KEY', 'expected another key than those in API_KEYS');
  });

export interface LocalSettings {
  readonly config: Config;
  readonly port: number;
  readonly host: string;
  /** The key made for this run. Undefined when the environment gives a key, which must not be shown. */
  readonly madeKey: string | undefined;
  readonly apiKeys: readonly ApiKey[];
  /** The host names accepted in addition to loopback's: the host to listen on, and the hosts of the environment. */
  readonly allowedHosts: readonly string[];
  /** The secrets of the environment, or one made for this run. */
  readonly sessionSecrets: readonly string[];
  /** The options for links of callbacks. Default: the server's own address, and a secret made for this run. */
  readonly callbacks: CallbacksOptions;
}

/** Reads the settings of `start` from the environment. @throws ValidationError listing every bad variable */
export function readLocalSettings(env: Environment): LocalSettings {
  const { PORT: port, HOST: host, API_KEY, ...config } = readEnvironment(localSchema, env);
  const apiKey = API_KEY ?? makeKey();
  const own: ApiKey = { id: OWN_ID, role: 'admin', digest: digestOf(apiKey) };
  return {
    config,
    port,
    host,
    madeKey: API_KEY === undefined ? apiKey : undefined,
    apiKeys: [own, ...config.API_KEYS],
    allowedHosts: [isIPv6(host) ? `[${host}]` : host, ...(config.ALLOWED_HOSTS ?? [])],
    sessionSecrets: config.SESSION_SECRETS ?? [newSecret()],
    callbacks: {
      url: config.CALLBACK_URL ?? addressOf(host, port),
      secrets: config.CALLBACK_SECRETS ?? [newSecret()],
    },
  };
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Returns the address by which a browser on this machine reaches the server. */
function addressOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://localhost:${port}`;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
