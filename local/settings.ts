import { createHash, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { type ApiKey, type Config, configSchema, type Environment, readEnvironment } from '../src/config.js';

const localSchema = configSchema.extend({
  PORT: z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, 'expected a port from 0 to 65535')
    .transform(Number)
    .default(3000),
  HOST: z.string().default('127.0.0.1'),
  API_KEY: z
    .string()
    .min(16, 'expected at least 16 characters (the value is a secret and not shown)')
    .optional(),
});

export interface LocalSettings {
  readonly config: Config;
  readonly port: number;
  readonly host: string;
  /** Given by the environment, or made for this run. */
  readonly apiKey: string;
  readonly apiKeys: readonly ApiKey[];
  /** Given by the environment, or made for this run. */
  readonly sessionSecrets: readonly string[];
}

/** Reads what `start` is told by the environment. @throws ValidationError listing every bad variable */
export function readLocalSettings(env: Environment): LocalSettings {
  const { PORT: port, HOST: host, API_KEY, ...config } = readEnvironment(localSchema, env);
  const apiKey = API_KEY ?? randomBytes(24).toString('base64url');
  const own: ApiKey = { id: 'local', role: 'admin', digest: createHash('sha256').update(apiKey).digest() };
  return {
    config,
    port,
    host,
    apiKey,
    apiKeys: [own, ...config.API_KEYS],
    sessionSecrets: config.SESSION_SECRETS ?? [randomBytes(32).toString('base64url')],
  };
}
