import { isDeepStrictEqual } from 'node:util';
import {
  type Environment,
  type FunctionConfig,
  readFunctionConfig,
  type SecretName,
  secretNames,
} from '../src/config.js';
import { definedOf } from '../src/defined-of.js';
import { jsonLogger, type Logger } from '../src/index.js';
import { atLevel } from '../src/log-level.js';
import { once } from './once.js';
import { type Members, secretReader } from './secret.js';

/** Maximum age of a secret when an invocation begins, in milliseconds. */
const KEPT_MS = 5 * 60_000;

/** How long to wait after a failed read, in milliseconds. A failed read may delay its invocation by some seconds. */
const RETRY_MS = 30_000;

export interface SettingsSource {
  readonly env?: Environment | undefined;
  /** The log. It tells when a secret has changed, or could not be read again. */
  readonly log?: Logger | undefined;
}

/** The members of a secret, the settings made from them, and the time until which both are used without another read. */
interface Kept {
  readonly members: Members;
  readonly config: FunctionConfig;
  readonly freshUntil: number;
}

/**
 * Returns the settings of a function. Settings come from the environment. If the environment names a secret in AWS
 * Secrets Manager (`SECRET_ID`), the secret's members take precedence. The secret is read at the first call, and again
 * 5 minutes after each read. If a later read fails, the old settings are kept and a warning is logged.
 *
 * @param needed the only members of the secret that the function reads
 * @returns a function to call in each invocation. It returns the same object until a member has changed. It rejects
 *   with a ValidationError that lists every bad setting, or with an Error if the first read of the secret fails
 */
export function settingsOf(
  { env = process.env, log = jsonLogger }: SettingsSource,
  needed: readonly SecretName[],
): () => Promise<FunctionConfig> {
  const source = once(() => {
    const id = env.SECRET_ID?.trim();
    return id ? ofSecret(id, env, log, needed) : once(async () => readFunctionConfig(env));
  });
  return () => source()();
}

function ofSecret(
  id: string,
  env: Environment,
  log: Logger,
  needed: readonly SecretName[],
): () => Promise<FunctionConfig> {
  const fetchSecret = secretReader(id);
  let kept: Kept | undefined;
  let underWay: Promise<FunctionConfig> | undefined;

  async function read(before: Kept | undefined): Promise<Kept> {
    const freshUntil = Date.now() + KEPT_MS;
    const all = await fetchSecret();
    const members = Object.fromEntries(needed.map((name) => [name, all[name]]));
    if (before && isDeepStrictEqual(members, before.members)) return { ...before, freshUntil };
    const config = readFunctionConfig(
      { ...env, ...definedOf(members) },
      `The environment with the secret '${id}'`,
    );
    tell(atLevel(config.LOG_LEVEL, log), all, members, before);
    return { members, config, freshUntil };
  }

  function tell(to: Logger, all: Members, members: Members, before: Kept | undefined): void {
    if (before) {
      const changed = needed.filter((name) => members[name] !== before.members[name]);
      to.info('The secret has changed: it is used from now on', { secret: id, changed });
      return;
    }
    const unknown = Object.keys(all).filter((name) => !isSecretName(name));
    if (unknown.length > 0)
      to.info('The secret has members that are not known here', { secret: id, unknown });
  }

  function keepOn(before: Kept, error: unknown): Kept {
    const fields = { secret: id, error: String(error) };
    atLevel(before.config.LOG_LEVEL, log).warn(
      'The secret could not be read again: the settings stay as they were',
      fields,
    );
    return { ...before, freshUntil: Date.now() + RETRY_MS };
  }

  async function refresh(before: Kept | undefined): Promise<FunctionConfig> {
    kept = await read(before).catch((error: unknown) => {
      if (before) return keepOn(before, error);
      throw error;
    });
    return kept.config;
  }

  return async () => {
    if (kept && Date.now() < kept.freshUntil) return kept.config;
    underWay ??= refresh(kept).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

function isSecretName(name: string): boolean {
  return secretNames.some((known) => known === name);
}
